/** A poll of libvirt read in one go. */
import { type HostPoll, readPoll } from "../../source/tools/virsh-parse.ts";

export function parsePoll(stdout: string): HostPoll | null {
  const work = readPoll(stdout);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
