const { signalR } = globalThis;
const list = document.querySelector("#orders");
const state = document.querySelector("#state");
const form = document.querySelector("#form");
const problem = document.querySelector("#problem");

const connection = new signalR.HubConnectionBuilder().withUrl("/kitchen")
  .withAutomaticReconnect().build();

/** Shows an order, once. */
function show({ id, table, dish }) {
  if (document.getElementById(`order-${id}`)) return;
  const item = document.createElement("li");
  item.id = `order-${id}`;
  const text = document.createElement("span");
  text.textContent = `Table ${table}: ${dish}`;
  const button = document.createElement("button");
  button.textContent = "Done";
  // Who else has finished it has told everyone.
  button.onclick = () => connection.invoke("finish", id).catch(() => {});
  item.append(text, button);
  list.append(item);
}

/** Shows what is open now: what came while the connection was away was not heard. */
async function showAll() {
  const orders = await connection.invoke("open");
  list.replaceChildren();
  orders.forEach(show);
  state.textContent = "Connected";
}

connection.on("ordered", show);
connection.on("finished", (id) => document.getElementById(`order-${id}`)?.remove());
connection.onreconnecting(() => state.textContent = "Reconnecting");
connection.onreconnected(showAll);
connection.onclose(() => state.textContent = "Disconnected: load the page again");

form.onsubmit = async (event) => {
  event.preventDefault();
  const { table, dish } = Object.fromEntries(new FormData(form));
  const response = await fetch("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ table: Number(table), dish }),
  });
  problem.textContent = response.ok ? "" : (await response.json()).error;
  if (response.ok) form.elements.dish.value = "";
};

await connection.start();
await showAll();
