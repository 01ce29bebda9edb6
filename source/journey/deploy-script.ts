/** The script that runs on the frontend: kadeploy3, then again for the nodes that failed, as long as tries are left. */
import { type Command, sh } from "../ssh/command.ts";
import { kadeploy } from "../tools/kadeploy.ts";
import type { DeployRequest } from "./types.ts";

/** Beside the script: node list, what was asked, public keys, and the file that makes Ruby print at once. */
export const fileNames = { nodes: "nodes", request: "request", key: "key", live: "live.rb", result: "result" } as const;

export const liveRuby = "$stdout.sync = true\n";

/** The kadeploy3 line of an attempt, relative to the deployment's directory. */
export function kadeployLine(
  request: Pick<DeployRequest, "environment" | "keyFile">,
  attempt: string | Command,
): Command {
  return kadeploy(request.environment, {
    folder: attempt,
    key: request.keyFile === undefined ? null : fileNames.key,
    unbuffer: fileNames.live,
  });
}

/**
 * Each attempt has a folder of its own. What it found is printed into `output` too, so that following one file tells all.
 * A kadeploy3 that was killed is not tried again: its server carries on, and would only discard the nodes.
 */
export function deployScript(request: Pick<DeployRequest, "environment" | "keyFile" | "retries">): Command {
  return sh`attempt=1
mkdir 1
cat nodes > 1/nodes
go=yes
while [ $go = yes ]; do
  printf '#virtu attempt %s %s\\n' $attempt "$(date +%s)" >> output
  ${kadeployLine(request, sh`$attempt`)} >> output 2>&1 < /dev/null
  status=$?
  echo $status > $attempt/status
  printf '\\n#virtu status %s %s %s\\n' $attempt $status "$(date +%s)" >> output
  echo '#virtu ok' >> output
  cat $attempt/ok >> output 2> /dev/null
  printf '\\n#virtu ko\\n' >> output
  cat $attempt/ko >> output 2> /dev/null
  printf '\\n#virtu tried %s\\n' $attempt >> output
  go=no
  if [ -s $attempt/ko ] && [ $attempt -le ${request.retries} ] && [ $status -le 128 ] && [ ! -e cancel ]; then
    next=$((attempt + 1))
    mkdir $next
    cat $attempt/ko > $next/nodes
    attempt=$next
    go=yes
  fi
done`;
}
