import { readSubject } from "../../../backplanes/nats/subject.ts";

/**
 * The channels of `prefix` that anyone has subscribed on a NATS server, sorted; `monitor` is the port
 * that it answers questions about itself on.
 */
export async function channelsOf(monitor: number, prefix: string): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${monitor}/subsz?subs=1&limit=10000`);
  const { subscriptions_list = [] }: { subscriptions_list?: { subject: string }[] } = await response
    .json();
  const subjects = new Set(subscriptions_list.map(({ subject }) => subject));
  return [...subjects].filter((subject) => !subject.startsWith("$")).map(readSubject)
    .filter((subject) => subject.prefix === prefix).map(({ channel }) => channel).sort();
}
