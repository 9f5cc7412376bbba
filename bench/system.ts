/** The machine and the versions of the programs that were measured. */
export async function describeSystem(): Promise<Record<string, string>> {
  const processor = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const [, model = "unknown"] = /^model name\s*: (.+)$/m.exec(processor) ?? [];
  return {
    processor: model,
    cores: `${navigator.hardwareConcurrency}`,
    deno: Deno.version.deno,
    node: await versionOf("node"),
    redis: await versionOf("redis-server"),
    nats: await versionOf("nats-server"),
  };
}

async function versionOf(command: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args: ["--version"] }).output();
    return /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))?.[0] ?? "unknown";
  } catch {
    return "not installed";
  }
}
