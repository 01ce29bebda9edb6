/** Keys of hosts, of the sessions with them, and of the feed. */
import type { Binding } from "./binding.ts";

export const connectionsKeys = {
  hosts: {
    open: { keys: ["enter"], label: "instances", text: "Show this host's instances in the table" },
    add: { keys: ["a"], label: "add", text: "Add a host whose instances are shown" },
    remove: { keys: ["D"], label: "remove", text: "Show this host's instances no more; nothing changes on it" },
    refresh: { keys: ["R"], label: "try now", text: "Ask this host again now" },
    shell: { keys: ["s"], label: "shell", text: "Open a shell on this host" },
  },
  sessions: {
    reconnect: { keys: ["r"], label: "reconnect", text: "Close this session and open it again" },
    close: {
      keys: ["D"],
      label: "close",
      text: "Close this session; running requests on it are lost",
      dangerous: true,
    },
    describe: { keys: ["enter", "d"], label: "describe", text: "Show why it is in this state and what to do" },
  },
  log: {
    filter: { keys: ["/"], label: "filter", text: "Show only lines that hold the words typed" },
    follow: { keys: ["f"], label: "follow", text: "Follow the end, or stay where you are" },
    view: { keys: ["v"], label: "events or log", text: "Turn between all, what the hosts tell, and what virtu did" },
    open: { keys: ["enter"], label: "go there", text: "Go to the instance that the line is about" },
    copy: { keys: ["y"], label: "copy", text: "Copy the line", quiet: true },
  },
} as const satisfies Record<string, Record<string, Binding>>;
