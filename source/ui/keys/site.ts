/** Keys of what is done on a site: its jobs, their nodes, deployments. */
import type { Binding } from "./binding.ts";

export const siteKeys = {
  site: {
    choose: { keys: ["enter"], label: "choose", text: "Work on this site" },
    add: { keys: ["a"], label: "add", text: "Add a site" },
    remove: { keys: ["D"], label: "remove", text: "Remove this site from the settings", dangerous: true },
  },
  jobs: {
    open: { keys: ["enter"], label: "take over", text: "Work with this job: its nodes, its deployments" },
    reserve: { keys: ["n"], label: "reserve", text: "Reserve nodes" },
    deploy: { keys: ["i"], label: "deploy", text: "Deploy an image or environment on the job's nodes" },
    extend: { keys: ["e"], label: "extend", text: "Ask for a longer walltime" },
    release: { keys: ["D"], label: "release", text: "End the job and give its nodes back", dangerous: true },
    refresh: { keys: ["R"], label: "refresh", text: "Ask the frontend again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the job's number", quiet: true },
  },
  deploy: {
    choose: { keys: ["enter"], label: "choose", text: "Take this one and go on" },
    reload: { keys: ["ctrl+r"], label: "reload", text: "Read the list from the frontend again", quiet: true },
  },
  deployment: {
    log: { keys: ["l"], label: "log", text: "Show what kadeploy3 prints, or the nodes again" },
    retry: { keys: ["r"], label: "retry failed", text: "Deploy the failed nodes again, leaving the good ones alone" },
    nodes: { keys: ["enter"], label: "nodes", text: "Go on to the job's nodes" },
    again: { keys: ["R"], label: "follow again", text: "Look at it again after an error", quiet: true },
    cancel: {
      keys: ["c"],
      label: "cancel",
      text: "Stop the deployment; nodes under way end without a system",
      dangerous: true,
    },
  },
  nodes: {
    describe: { keys: ["enter", "d"], label: "describe", text: "Show everything known of this node" },
    deploy: { keys: ["i"], label: "deploy", text: "Deploy an image or environment on the job's nodes" },
    progress: { keys: ["p"], label: "progress", text: "Watch the deployment of these nodes" },
    configure: { keys: ["c"], label: "configure", text: "Configure these nodes: keys, upgrade, password, names" },
    install: { keys: ["m"], label: "VM manager", text: "Install Ganeti or libvirt on these nodes" },
    extend: { keys: ["e"], label: "extend", text: "Ask for a longer walltime" },
    shell: { keys: ["s"], label: "shell", text: "Open a shell on this node" },
    refresh: { keys: ["R"], label: "refresh", text: "Ask every node again now", quiet: true },
    copy: { keys: ["y"], label: "copy", text: "Copy the node's name", quiet: true },
  },
} as const satisfies Record<string, Record<string, Binding>>;
