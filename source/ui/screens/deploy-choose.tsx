/** The wizard's lists: what to deploy, filtered as one types, then which version of it. */
import { Box, Text } from "ink";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { toVirtuError, type VirtuError } from "../../errors.ts";
import type { Environment } from "../../journey/types.ts";
import { Busy } from "../components/busy.tsx";
import { lineText } from "../components/field.tsx";
import { Problem } from "../components/problem.tsx";
import { Table, useList } from "../components/table.tsx";
import { editFilter, emptyLine, type Line } from "../editor.ts";
import { useKeys, useKnown, useRemembered, useUi } from "../hooks.ts";
import { matcher } from "../list.ts";
import { layer } from "../router.ts";
import { paint } from "../theme.ts";
import { environmentHeader, environmentKey, environmentRow, environmentText } from "./deploy-text.ts";

export function EnvironmentList({ onChoose }: { onChoose: (environment: Environment) => void }): ReactNode {
  const { workspace, navigation, size } = useUi();
  const environments = useKnown((known) => known.environments);
  const site = useKnown((known) => known.site);
  const [line, setLine] = useRemembered<Line>("deploy:filter", emptyLine);
  useEffect(() => {
    if (workspace.state.environments.at === null) void workspace.site.deploy.loadEnvironments();
  }, [workspace]);
  const texts = useMemo(
    () => environments.value.map((one) => [environmentText(one).toLowerCase(), one] as const),
    [environments.value],
  );
  const found = useMemo(() => {
    const wanted = matcher(line.text);
    return texts.filter(([text]) => wanted(text)).map(([, one]) => one);
  }, [texts, line.text]);
  const keys = useMemo(() => found.map(environmentKey), [found]);
  const problem = environments.error !== null && environments.value.length > 0;
  const height = size.rows - 8 - (problem ? 1 : 0);
  const list = useList("environments", keys, height);
  const current = found[list.index];
  const none = environments.value.length === 0 ? "there is nothing to choose" : "nothing is called so";
  useKeys(
    "global",
    { back: { run: () => (line.text === "" ? navigation.back() : setLine(emptyLine)) } },
    { level: layer.field },
  );
  useKeys(
    "deploy",
    {
      choose: { run: () => current && onChoose(current), disabled: current ? current.problem : none },
      reload: { run: () => void workspace.site.deploy.loadEnvironments() },
    },
    {
      level: layer.field,
      typed: (key) => {
        // Home and End belong to the list.
        if (key.name === "home" || key.name === "end") return false;
        const next = editFilter(line, key);
        if (next) setLine(next);
        return next !== null;
      },
    },
  );
  const width = size.columns - 2;
  if (environments.value.length === 0) {
    if (environments.error) return <Problem error={environments.error} lines={size.rows - 12} />;
    if (environments.at === null) return <Busy text={`reading environments and images of ${site?.name}`} />;
    return (
      <Box flexDirection="column">
        <Text>{` ${site?.name} has no recorded environment, and ~/image holds no .env file.`}</Text>
        <Text> </Text>
        <Text> Put an image there, or record one with kaenv3 -a; ctrl-R reads them again.</Text>
      </Box>
    );
  }
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` What to deploy ${paint("· type to filter:", "dim")} ${lineText(line, 20, true)} ${paint(`${found.length} of ${environments.value.length}${environments.loading ? " · reading again" : ""}`, "dim")}`}
      </Text>
      {problem && <Text wrap="truncate">{paint(` ✗ only a part: ${environments.error?.message}`, "red")}</Text>}
      <Table
        header={environmentHeader(width)}
        view={list}
        row={(index) => environmentRow(found[index] as Environment, width)}
        empty={<Text dimColor> Nothing is called so. Esc shows all again.</Text>}
      />
    </Box>
  );
}

export function VersionList({
  environment,
  onChoose,
  onBack,
}: {
  environment: Environment;
  /** `several`: there was a choice. */
  onChoose: (version: Environment, several: boolean) => void;
  onBack: () => void;
}): ReactNode {
  const { workspace, size } = useUi();
  const [versions, setVersions] = useState<readonly Environment[] | null>(null);
  const [problem, setProblem] = useState<VirtuError | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read once for an environment.
  useEffect(() => {
    let there = true;
    workspace.site.deploy.versions(environment).then(
      (found) => {
        if (!there) return;
        // One version is no choice.
        if (found.length <= 1) onChoose(found[0] ?? environment, false);
        else setVersions(found);
      },
      (thrown: unknown) => there && setProblem(toVirtuError(thrown)),
    );
    return () => {
      there = false;
    };
  }, [workspace, environment]);
  const keys = (versions ?? []).map(environmentKey);
  const height = size.rows - 8;
  const list = useList(`versions:${environmentKey(environment)}`, keys, height);
  const current = versions?.[list.index];
  useKeys("global", { back: { run: onBack } });
  useKeys("deploy", {
    choose: {
      run: () => onChoose(problem ? environment : (current ?? environment), !problem),
      disabled: problem ? null : current ? current.problem : "the versions are being read",
    },
  });
  if (problem) {
    return (
      <Box flexDirection="column">
        <Problem error={problem} />
        <Text> </Text>
        <Text>{` ⏎ takes the newest, ${environment.version ?? "whatever it is"}; Esc goes back to the list.`}</Text>
      </Box>
    );
  }
  if (!versions) return <Busy text={`reading the versions of ${environment.name}`} />;
  const width = size.columns - 2;
  return (
    <Box flexDirection="column">
      <Text>{` Which version of ${paint(environment.name, "bold")}? The newest stands first.`}</Text>
      <Table
        header={environmentHeader(width)}
        view={list}
        row={(index) => environmentRow(versions[index] as Environment, width)}
      />
    </Box>
  );
}
