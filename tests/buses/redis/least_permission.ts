/** `least_permission.ts URL`: publishes to itself once, with whatever permissions it was given. */
import { RedisBackplane } from "../../../backplanes/redis.ts";

await using backplane = new RedisBackplane(Deno.args[0] ?? "");
const heard = Promise.withResolvers<Uint8Array>();
await backplane.subscribe("news", heard.resolve).confirmed;
const opened = Promise.withResolvers<void>();
backplane.onStatus(({ status }) => {
  if (status === "open") opened.resolve();
});
if (backplane.status !== "open") await opened.promise;
await backplane.publish("news", new Uint8Array(1));
await heard.promise;
