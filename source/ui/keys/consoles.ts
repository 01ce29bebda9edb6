/** Keys of consoles and guests' screens. In a console they follow its leave key. */
import type { Binding } from "./binding.ts";

export const consolesKeys = {
  consoles: {
    open: { keys: ["enter"], label: "open", text: "Go to this console" },
    record: { keys: ["r"], label: "record", text: "Record what it shows into an asciicast file, or stop that" },
    close: { keys: ["D"], label: "close", text: "Close this console; a guest goes on, a shell is hung up" },
  },
  console: {
    next: { keys: ["n"], label: "next", text: "Go to the next open console" },
    previous: { keys: ["p"], label: "prev", text: "Go to the open console before" },
    record: { keys: ["r"], label: "record", text: "Record what is shown into an asciicast file, or stop that" },
    scroll: { keys: ["s"], label: "scroll", text: "Read what has left the screen" },
    send: { keys: ["k"], label: "send it", text: "Send the leave key itself to the guest" },
    close: { keys: ["d"], label: "close", text: "Close this console; what runs in the guest goes on" },
    back: { keys: ["b", "esc"], label: "back", text: "Go back at once; the console stays open" },
    help: { keys: ["?"], label: "wait", text: "Show these commands until a key is pressed" },
  },
  guestScreen: {
    back: { keys: ["esc", "q"], label: "back", text: "Go back; the forwarded port is closed" },
    viewer: { keys: ["o"], label: "viewer", text: "Start a viewer (again) on the forwarded VNC or SPICE port" },
  },
  scrollback: {
    search: { keys: ["/"], label: "search", text: "Search in what the console has printed" },
    next: { keys: ["n"], label: "next", text: "Go to the next line found, further back" },
    previous: { keys: ["N"], label: "previous", text: "Go to the line found before, further on" },
    leave: { keys: ["esc", "q"], label: "console", text: "Go back to what the console shows now" },
  },
  consoleEnded: {
    again: { keys: ["o"], label: "open again", text: "Open this console again" },
    scroll: { keys: ["s"], label: "scroll", text: "Read what has left the screen" },
    close: { keys: ["d"], label: "close", text: "Take this console off the list" },
    back: { keys: ["b", "esc"], label: "back", text: "Go back; what it has shown is kept" },
  },
} as const satisfies Record<string, Record<string, Binding>>;
