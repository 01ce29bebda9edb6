/** What the parser makes of a script. */

export type Part =
  | { kind: "text"; text: string; quoted: boolean }
  | { kind: "home"; user: string }
  | { kind: "variable"; name: string; operator: string | null; operand: Word; quoted: boolean }
  | { kind: "commands"; body: List; quoted: boolean }
  | { kind: "arithmetic"; expression: Word; quoted: boolean };

export type Word = Part[];

export interface Redirection {
  descriptor: number;
  /** `here` carries its text in `target`. */
  operator: "<" | ">" | ">>" | ">|" | "<>" | ">&" | "<&" | "here";
  target: Word;
}

export interface Assignment {
  name: string;
  value: Word;
}

export type Command =
  | { kind: "simple"; assignments: Assignment[]; words: Word[]; redirections: Redirection[] }
  | { kind: "group"; body: List; redirections: Redirection[] }
  | { kind: "subshell"; body: List; redirections: Redirection[] }
  | {
      kind: "if";
      branches: { condition: List; body: List }[];
      otherwise: List | null;
      redirections: Redirection[];
    }
  | { kind: "while"; until: boolean; condition: List; body: List; redirections: Redirection[] }
  | { kind: "for"; name: string; words: Word[] | null; body: List; redirections: Redirection[] }
  | { kind: "case"; word: Word; items: { patterns: Word[]; body: List }[]; redirections: Redirection[] }
  | { kind: "function"; name: string; body: Command; redirections: Redirection[] };

export interface Pipeline {
  negated: boolean;
  commands: Command[];
}

export interface AndOr {
  first: Pipeline;
  rest: { operator: "&&" | "||"; pipeline: Pipeline }[];
  background: boolean;
  /** As it was written, for `ps`. */
  source: string;
}

export interface List {
  items: AndOr[];
}

/** The text of a word that is one plain unquoted literal, or null: reserved words and names are found so. */
export function plainText(word: Word): string | null {
  const [only] = word;
  return word.length === 1 && only?.kind === "text" && !only.quoted ? only.text : null;
}

/** The only command of a list, if it is a simple one: the process that runs it needs no shell around it. */
export function soleCommand({ first, rest }: Pick<AndOr, "first" | "rest">): Command | null {
  const [only] = first.commands;
  return rest.length === 0 && !first.negated && first.commands.length === 1 && only?.kind === "simple" ? only : null;
}
