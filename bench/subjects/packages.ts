/** The packages of Socket.IO nodes, in the versions that are compared. */
const PACKAGES = ["socket.io@4.8.4", "@socket.io/redis-adapter@8.3.0", "ioredis@5.11.1"];

/** The folder with the packages of Socket.IO. */
export const socketIoFolder = `${cacheFolder()}/hubplane-bench/${
  PACKAGES.join("+").replaceAll("/", "_")
}`;

/** Installs the packages of Socket.IO with npm, unless they are installed. */
export async function installSocketIo(): Promise<void> {
  const folder = socketIoFolder;
  if (await exists(`${folder}/installed`)) return;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, '{"private":true}');
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--omit=dev", ...PACKAGES],
    cwd: folder,
  }).output();
  if (!success) throw new Error(`Cannot install Socket.IO: ${new TextDecoder().decode(stderr)}`);
  await Deno.writeTextFile(`${folder}/installed`, "");
}

function cacheFolder(): string {
  return Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
