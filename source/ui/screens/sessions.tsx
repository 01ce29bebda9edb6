/** The sessions pane: every SSH connection that the pool has, and why one is not open. */
import { Box, Text } from "ink";
import { type ReactNode, useState } from "react";
import type { SessionInfo } from "../../ssh/types.ts";
import { age } from "../../text.ts";
import { Confirm } from "../components/confirm.tsx";
import { headerLine, layout, Table, useList } from "../components/table.tsx";
import { useKeys, useKnown, useUi } from "../hooks.ts";
import type { Place } from "../navigation.ts";
import { cell, state, symbol, type Tone, toneStyles } from "../theme.ts";

const columnsAt = (width: number) =>
  layout(
    [
      { title: "HOST", width: 18, grow: 3 },
      { title: "VIA", width: 10, grow: 2 },
      { title: "STATE", width: 12 },
      { title: "CHANNELS", width: 8, align: "right" },
      { title: "RTT", width: 7, align: "right" },
      { title: "IN/OUT", width: 11, align: "right" },
      { title: "AGE", width: 6, align: "right" },
    ],
    width,
  );

const tones: Record<SessionInfo["state"], Tone> = {
  connecting: "busy",
  open: "good",
  waiting: "busy",
  failed: "bad",
  closed: "idle",
};

/** Bytes in few columns: `88k`, `1.2M`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n}`;
  if (n < 1e6) return `${Math.round(n / 1e3)}k`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)}M` : `${(n / 1e9).toFixed(1)}G`;
}

/** The state as a sentence: `again in 4 s (3rd try): connection reset`. */
export function stateText(session: SessionInfo, now: number): string {
  if (session.state === "waiting" && session.retryAt !== null) {
    const seconds = Math.max(0, Math.ceil((session.retryAt - now) / 1000));
    return `again in ${seconds} s (try ${session.attempt + 1})${session.reason ? `: ${session.reason}` : ""}`;
  }
  if (session.state === "open") return "open";
  return session.reason ? `${session.state}: ${session.reason}` : session.state;
}

/** One row; a session that is not open gives its reason the room of the numbers. */
export function sessionRow(session: SessionInfo, width: number, now: number): string {
  const columns = columnsAt(width);
  const [host, via, stateWidth, channels, rtt, traffic, old] = columns.map((column) => column.width);
  const head = `${cell(session.label, host ?? 0)} ${cell(session.via ?? "–", via ?? 0)}`;
  const tone = tones[session.state];
  if (session.state !== "open") {
    const rest = width - (host ?? 0) - (via ?? 0) - 2;
    return `${head} ${state(tone, cell(stateText(session, now), rest - 2))}`;
  }
  const queued = session.queued > 0 ? `+${session.queued}` : "";
  return [
    head,
    state(tone, cell("open", (stateWidth ?? 0) - 2)),
    cell(`${session.channels}${queued}/${session.channelLimit}`, channels ?? 0, "right"),
    cell(session.roundTripMs === null ? "" : `${Math.round(session.roundTripMs)} ms`, rtt ?? 0, "right"),
    cell(`${bytes(session.bytesIn)}/${bytes(session.bytesOut)}`, traffic ?? 0, "right"),
    cell(session.openSince === null ? "" : age((now - session.openSince) / 1000), old ?? 0, "right"),
  ].join(" ");
}

export function SessionsScreen(): ReactNode {
  const { size, workspace, navigation } = useUi();
  const sessions = useKnown((known) => known.sessions);
  const now = useKnown((known) => known.now);
  const [closing, setClosing] = useState<SessionInfo | null>(null);
  const keys = sessions.map(({ key }) => key);
  const list = useList("sessions", keys, size.rows - 7);
  const current = sessions[list.index];
  const { pool } = workspace.context;
  const none = current ? null : "there is no session";
  useKeys("sessions", {
    reconnect: {
      run: () => {
        if (current) pool.reconnect(current.key).catch((thrown: unknown) => workspace.failed(thrown));
      },
      disabled: none,
    },
    close: {
      run: () => {
        if (!current) return;
        if (current.channels > 0) setClosing(current);
        else pool.close(current.key);
      },
      disabled: none,
    },
    describe: { run: () => current && navigation.open({ screen: "session", key: current.key }), disabled: none },
  });
  if (closing) {
    return (
      <Confirm
        title={`Close the session to ${closing.label}?`}
        losses={[`${closing.channels} requests run on it now; nobody will know how they ended`]}
        safe="Leave it open"
        danger="Close it"
        onNo={() => setClosing(null)}
        onYes={() => {
          pool.close(closing.key);
          setClosing(null);
        }}
      />
    );
  }
  const width = size.columns - 2;
  return (
    <Table
      header={headerLine(columnsAt(width))}
      view={list}
      row={(index) => sessionRow(sessions[index] as SessionInfo, width, now)}
      empty={<Text dimColor> No session yet: the first one is opened when something is asked of a host.</Text>}
    />
  );
}

/** Everything known of one session. */
export function SessionScreen({ place }: { place: Place }): ReactNode {
  const key = place.screen === "session" ? place.key : "";
  const session = useKnown((known) => known.sessions.find((one) => one.key === key));
  const now = useKnown((known) => known.now);
  const { workspace } = useUi();
  useKeys("sessions", {
    reconnect: {
      run: () => void workspace.context.pool.reconnect(key).catch((thrown: unknown) => workspace.failed(thrown)),
      disabled: session ? null : "it is gone",
    },
  });
  if (!session) return <Text dimColor> This session is gone.</Text>;
  const facts: [string, string][] = [
    ["host", session.label],
    ["way", session.via ?? "direct"],
    ["state", `${symbol(tones[session.state])} ${stateText(session, now)}`],
    ["open since", session.openSince === null ? "–" : new Date(session.openSince).toLocaleString("sv")],
    ["channels", `${session.channels} in use, ${session.channelLimit} at most, ${session.queued} waiting`],
    ["round trip", session.roundTripMs === null ? "not measured" : `${Math.round(session.roundTripMs)} ms`],
    ["received", `${session.bytesIn} bytes`],
    ["sent", `${session.bytesOut} bytes`],
    ["key", session.key],
  ];
  return (
    <Box flexDirection="column">
      {facts.map(([name, value]) => (
        <Text key={name} wrap="wrap" bold={name === "state" && toneStyles(tones[session.state]).includes("bold")}>
          {` ${cell(name, 12)} ${value}`}
        </Text>
      ))}
    </Box>
  );
}
