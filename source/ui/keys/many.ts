/** Keys of what is done to many instances: made, acted on, scheduled, compared; and of Ganeti's jobs. */
import type { Binding } from "./binding.ts";

export const manyKeys = {
  making: {
    instance: { keys: ["enter"], label: "instance", text: "Show the instance that was made" },
    table: { keys: ["i"], label: "all instances", text: "Go to the table of instances" },
    another: { keys: ["N"], label: "another", text: "Make further instances" },
    cancel: {
      keys: ["c"],
      label: "take back",
      text: "Begin no more; what is half made is taken away",
      dangerous: true,
    },
  },
  bulk: {
    unheard: {
      keys: ["f"],
      label: "force, or wait",
      short: "force",
      text: "Force off those that did not hear the shutdown, ask them again and wait longer, or leave them",
    },
    retry: { keys: ["r"], label: "retry failed", text: "Do it again to those where it failed" },
    cancel: { keys: ["c"], label: "cancel queued", text: "Take back what has not started; the rest goes on" },
    save: { keys: ["w"], label: "save", text: "Save what came of it to a file" },
    earlier: { keys: ["left", "h"], label: "run before", text: "Show the run before" },
    later: { keys: ["right", "l"], label: "run after", text: "Show the run after", quiet: true },
    describe: { keys: ["enter", "d"], label: "describe", text: "Show this instance", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy why it failed", quiet: true },
  },
  scheduled: {
    cancel: { keys: ["D"], label: "take back", text: "Take it back, or forget what is over", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Ask every host again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy its id, as `virtu unschedule` takes it", quiet: true },
  },
  comparisons: {
    open: { keys: ["enter"], label: "open", text: "Show this comparison, live or as it ended" },
    create: { keys: ["n"], label: "new", text: "Compare tools: choose the places" },
    clean: { keys: ["D"], label: "take away", text: "Take away what this comparison has left behind", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Read what is kept again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy its id, as `virtu compare --show` takes it", quiet: true },
  },
  compare: {
    mark: { keys: ["space"], label: "take part", text: "Let this place take part, or leave it out" },
    markAll: { keys: ["a"], label: "all", text: "Let all places take part, or none" },
    goOn: { keys: ["enter"], label: "go on", text: "Go on to sizes and rounds" },
  },
  comparePlan: {
    start: { keys: ["enter"], label: "start", text: "Start it: only what it makes itself is touched" },
    copy: { keys: ["y"], label: "copy", text: "Copy all commands" },
  },
  comparison: {
    cancel: {
      keys: ["c"],
      label: "take back",
      text: "End it: all that it made is taken away, the times so far stay",
      dangerous: true,
    },
    save: { keys: ["w"], label: "save", text: "Write it into a CSV, JSON or Markdown file" },
    clean: { keys: ["D"], label: "take away", text: "Take away what it has left behind", dangerous: true },
    left: { keys: ["left", "h"], label: "left", text: "Show the places to the left", quiet: true },
    right: { keys: ["right", "l"], label: "right", text: "Show the places to the right", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the table as Markdown" },
  },
  providerJobs: {
    open: { keys: ["enter"], label: "log", text: "Show what this job did and does" },
    cancel: { keys: ["c"], label: "cancel", text: "Take back this job, which waits", dangerous: true },
    filter: { keys: ["/"], label: "filter", text: "Show only jobs that hold the words typed" },
    refresh: { keys: ["R"], label: "refresh", text: "Ask the clusters again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the job's number", quiet: true },
  },
} as const satisfies Record<string, Record<string, Binding>>;
