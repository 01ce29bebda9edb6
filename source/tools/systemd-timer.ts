/**
 * A job at a time as a systemd timer, where `at` is not there. Unit files, not a transient timer: `systemd-run --on-calendar`
 * would forget it at a reboot, and with `Persistent=true` a file's timer runs at the next start what was missed.
 * The service removes its files when it is over. Needs root, or sudo without a password.
 */
import { type Command, sh } from "../ssh/command.ts";

/** `OnCalendar=` takes `2026-11-25 19:00:00 UTC`. */
export function calendarStamp(epochSeconds: number): string {
  return `${new Date(epochSeconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

export function unitName(id: string): string {
  return `virtu-${id}`;
}

export function timerUnit(id: string, epochSeconds: number): string {
  return `[Unit]
Description=virtu: scheduled job ${id}

[Timer]
OnCalendar=${calendarStamp(epochSeconds)}
AccuracySec=1s
Persistent=true
RemainAfterElapse=no

[Install]
WantedBy=timers.target
`;
}

/** USER and SCRIPT are put in by the host, which knows them. */
export function serviceUnit(id: string): string {
  return `[Unit]
Description=virtu: scheduled job ${id}

[Service]
Type=oneshot
User=@USER@
ExecStart=/bin/sh "@SCRIPT@"
`;
}

/**
 * Parts of the scripts of at.ts. `keep` does nothing when the job has a carrier already (`$d/carrier`). It names systemd
 * before the units are there: a script that is cut off in between leaves a job that is found and taken back, not one that fires
 * unseen. `drop` and the file `after`, which the job runs at its end, take the units away. `able` holds where a timer could
 * be kept.
 */
export function timerParts(id: string, epochSeconds: number): { keep: Command; drop: Command; able: Command } {
  const unit = unitName(id);
  // `enable` makes the link, and a persistent timer a stamp of its own; nobody else takes them away.
  const files = sh`/etc/systemd/system/${unit}.service /etc/systemd/system/${unit}.timer /etc/systemd/system/timers.target.wants/${unit}.timer /var/lib/systemd/timers/stamp-${unit}.timer`;
  const root = sh`if [ "$(id -u)" = 0 ]; then root=; else root='sudo -n'; fi`;
  const drop = sh`${root}; $root systemctl stop ${unit}.timer; $root rm -f ${files}; $root systemctl daemon-reload`;
  const keep = sh`if [ ! -s "$d/carrier" ] && [ -d /run/systemd/system ]; then
  ${root}
  if $root true 2>/dev/null; then
    printf 'systemd %s\n' ${unit} >"$d/carrier"
    printf %s ${serviceUnit(id)} | sed "s|@USER@|$(id -un)|; s|@SCRIPT@|$d/script|" | $root tee /etc/systemd/system/${unit}.service >/dev/null
    printf %s ${timerUnit(id, epochSeconds)} | $root tee /etc/systemd/system/${unit}.timer >/dev/null
    printf '%s\n' ${sh`${root}; $root rm -f ${files}; $root systemctl daemon-reload`.line} >"$d/after"
    if ! said=$($root systemctl daemon-reload 2>&1 && $root systemctl enable --now ${unit}.timer 2>&1); then
      rm "$d/carrier"
      $root rm -f ${files}
    fi
  fi
fi`;
  const able = sh`[ -d /run/systemd/system ] && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }`;
  return { keep, drop, able };
}
