/** `$((…))`: whole numbers, the usual operators, variables with and without `$`. */

type Variables = { get(name: string): string; set(name: string, value: string): void };

const levels: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<=", ">=", "<", ">"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

const operations: Readonly<Record<string, (left: number, right: number) => number>> = {
  "||": (a, b) => Number(a !== 0 || b !== 0),
  "&&": (a, b) => Number(a !== 0 && b !== 0),
  "|": (a, b) => Number(BigInt(a) | BigInt(b)),
  "^": (a, b) => Number(BigInt(a) ^ BigInt(b)),
  "&": (a, b) => Number(BigInt(a) & BigInt(b)),
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "<=": (a, b) => Number(a <= b),
  ">=": (a, b) => Number(a >= b),
  "<": (a, b) => Number(a < b),
  ">": (a, b) => Number(a > b),
  "<<": (a, b) => a * 2 ** b,
  ">>": (a, b) => Math.floor(a / 2 ** b),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => Math.trunc(a / b),
  "%": (a, b) => a % b,
};

/** The value of an expression; a fault is an Error with dash's words. */
export function evaluate(text: string, variables: Variables): number {
  const tokens = text.match(/\d+|[A-Za-z_]\w*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%]=|[-+*/%()<>!~?:=&|^]|\S/g) ?? [];
  let index = 0;
  const fault = (): never => {
    throw new Error(`arithmetic expression: expecting primary: "${text}"`);
  };
  const number = (value: string): number => {
    if (value.trim() === "") return 0;
    const parsed = Number(value);
    if (!Number.isInteger(parsed)) throw new Error(`Illegal number: ${value}`);
    return parsed;
  };
  const primary = (): number => {
    const token = tokens[index++];
    if (token === undefined) return fault();
    if (token === "(") {
      const value = assignment();
      if (tokens[index++] !== ")") fault();
      return value;
    }
    if (token === "-") return -primary();
    if (token === "+") return primary();
    if (token === "!") return Number(primary() === 0);
    if (token === "~") return -primary() - 1;
    if (/^0[0-7]+$/.test(token)) return Number.parseInt(token, 8);
    if (/^\d/.test(token)) return number(token);
    if (/^[A-Za-z_]/.test(token)) return number(variables.get(token));
    return fault();
  };
  const binary = (level: number): number => {
    const operators = levels[level];
    if (!operators) return primary();
    let left = binary(level + 1);
    for (;;) {
      const operator = tokens[index];
      if (operator === undefined || !operators.includes(operator)) return left;
      index += 1;
      const right = binary(level + 1);
      if ((operator === "/" || operator === "%") && right === 0)
        throw new Error(`arithmetic expression: division by zero: "${text}"`);
      left = operations[operator]?.(left, right) ?? 0;
    }
  };
  const ternary = (): number => {
    const condition = binary(0);
    if (tokens[index] !== "?") return condition;
    index += 1;
    const yes = assignment();
    if (tokens[index++] !== ":") fault();
    const no = assignment();
    return condition !== 0 ? yes : no;
  };
  const assignment = (): number => {
    const name = tokens[index];
    const operator = tokens[index + 1];
    if (name && operator && /^[A-Za-z_]/.test(name) && /^[-+*/%]?=$/.test(operator)) {
      index += 2;
      const right = assignment();
      const value =
        operator === "=" ? right : (operations[operator.slice(0, 1)]?.(number(variables.get(name)), right) ?? 0);
      variables.set(name, String(value));
      return value;
    }
    return ternary();
  };
  if (tokens.length === 0) return 0;
  const value = assignment();
  if (index < tokens.length) fault();
  return value;
}
