/** `10g`, `512M`, `128`: MiB. */
export function mib(text: string): number {
  const [, number = "0", unit = ""] = /^([\d.]+)\s*([a-zA-Z]?)/.exec(text) ?? [];
  return Math.round(Number(number) * ({ t: 1_048_576, g: 1024 }[unit.toLowerCase()] ?? 1));
}
