/** OAR's property conditions: the little of SQL's WHERE that people write. */

/** What PostgreSQL says when it can't run a condition. */
export class ConditionError extends Error {}

type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;
export type Condition = (row: Row) => boolean;

const token = /\s*(?:(<=|>=|<>|!=|=|<|>|\(|\)|,)|'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.]*)|(\S))/gy;

interface Token {
  kind: "operator" | "text" | "number" | "word";
  text: string;
}

function tokens(text: string): Token[] {
  const all: Token[] = [];
  token.lastIndex = 0;
  for (let match = token.exec(text); match && match[0] !== ""; match = token.exec(text)) {
    const [, operator, quoted, number, word, other] = match;
    if (operator !== undefined) all.push({ kind: "operator", text: operator });
    else if (quoted !== undefined) all.push({ kind: "text", text: quoted.replaceAll("''", "'") });
    else if (number !== undefined) all.push({ kind: "number", text: number });
    else if (word !== undefined) all.push({ kind: "word", text: word });
    else throw new ConditionError(`syntax error at or near "${other}"`);
  }
  return all;
}

function compare(left: Value, operator: string, right: Value): boolean {
  if (left === null || right === null) return false;
  const numeric = typeof left === "number" || typeof right === "number";
  const [a, b] = numeric ? [Number(left), Number(right)] : [left, right];
  switch (operator) {
    case "=":
      return a === b;
    case "!=":
    case "<>":
      return a !== b;
    case "<":
      return a < b;
    case ">":
      return a > b;
    case "<=":
      return a <= b;
    default:
      return a >= b;
  }
}

/** Parses a condition over these columns; an unknown one is refused in PostgreSQL's words. */
export function parseCondition(text: string, columns: readonly string[]): Condition {
  const all = tokens(text);
  let index = 0;
  const isWord = (word: string) => all[index]?.kind === "word" && all[index]?.text.toLowerCase() === word;
  const fault = (): never => {
    throw new ConditionError(`syntax error at or near "${all[index]?.text ?? ")"}"`);
  };
  const operand = (): ((row: Row) => Value) => {
    const next = all[index];
    index += 1;
    if (next?.kind === "text") return () => next.text;
    if (next?.kind === "number") return () => Number(next.text);
    if (next?.kind === "word") {
      const column = next.text.toLowerCase();
      if (!columns.includes(column)) throw new ConditionError(`column "${next.text}" does not exist`);
      return (row) => row[column] ?? null;
    }
    index -= 1;
    return fault();
  };
  const primary = (): Condition => {
    if (isWord("not")) {
      index += 1;
      const inner = primary();
      return (row) => !inner(row);
    }
    if (all[index]?.text === "(" && all[index]?.kind === "operator") {
      index += 1;
      const inner = either();
      if (all[index]?.text !== ")") fault();
      index += 1;
      return inner;
    }
    const left = operand();
    let negated = false;
    if (isWord("not")) {
      negated = true;
      index += 1;
    }
    if (isWord("like")) {
      index += 1;
      const pattern = operand();
      return (row) => {
        const source = String(pattern(row) ?? "")
          .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
          .replaceAll("%", ".*")
          .replaceAll("_", ".");
        return new RegExp(`^${source}$`).test(String(left(row) ?? "")) !== negated;
      };
    }
    if (isWord("in")) {
      index += 2;
      const choices: ((row: Row) => Value)[] = [];
      do choices.push(operand());
      while (all[index]?.text === "," && index++ >= 0);
      if (all[index]?.text !== ")") fault();
      index += 1;
      return (row) => choices.some((choice) => compare(left(row), "=", choice(row))) !== negated;
    }
    const operator = all[index]?.kind === "operator" ? (all[index]?.text ?? "") : "";
    if (!/^(?:<=|>=|<>|!=|=|<|>)$/.test(operator)) return fault();
    index += 1;
    const right = operand();
    return (row) => compare(left(row), operator, right(row));
  };
  const both = (): Condition => {
    const parts = [primary()];
    while (isWord("and")) {
      index += 1;
      parts.push(primary());
    }
    return (row) => parts.every((part) => part(row));
  };
  const either = (): Condition => {
    const parts = [both()];
    while (isWord("or")) {
      index += 1;
      parts.push(both());
    }
    return (row) => parts.some((part) => part(row));
  };
  const condition = either();
  if (index < all.length) fault();
  return condition;
}
