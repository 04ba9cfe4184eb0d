import type { JsonLeafRule } from "./rule.ts";

/** What a JSON rule says of a value and of what is below it. */
export interface JsonNode {
  /** The rule of the value itself; where it has one, nothing is below. */
  rule?: JsonLeafRule;
  readonly keys: Map<string, JsonNode>;
  /** Of an array's elements. */
  elements?: JsonNode;
}

type Step = { readonly key: string } | "elements";

const step = /(?:^|(?<!^)\.)(?:"(?<quoted>[^"]+)"|(?<plain>[^.[\]"]+))|(?<elements>\[\])/y;

/** Steps of `contacts[].email`; undefined when it is not a path. */
export function parseJsonPath(path: string): Step[] | undefined {
  const steps: Step[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < path.length) {
    const groups = step.exec(path)?.groups;
    if (groups === undefined) return undefined;
    const key = groups["quoted"] ?? groups["plain"];
    steps.push(key === undefined ? "elements" : { key });
  }
  return steps.length === 0 ? undefined : steps;
}

/** The rules of all paths as one tree, and what is wrong with them. */
export function jsonTree(paths: Readonly<Record<string, JsonLeafRule>>): { readonly root: JsonNode; readonly problems: string[] } {
  const root: JsonNode = { keys: new Map() };
  const problems: string[] = [];
  for (const [path, rule] of Object.entries(paths)) {
    const steps = parseJsonPath(path);
    if (steps === undefined) {
      problems.push(`"${path}" is not a path such as address.street or contacts[].email`);
      continue;
    }
    let node = root;
    for (const taken of steps) {
      node = taken === "elements" ? (node.elements ??= { keys: new Map() }) : childOf(node, taken.key);
    }
    node.rule = rule;
  }
  problems.push(...shadowed(root, ""));
  return { root, problems };
}

function childOf(node: JsonNode, key: string): JsonNode {
  const present = node.keys.get(key);
  if (present !== undefined) return present;
  const made: JsonNode = { keys: new Map() };
  node.keys.set(key, made);
  return made;
}

function shadowed(node: JsonNode, path: string): string[] {
  const below = node.keys.size > 0 || node.elements !== undefined;
  const own = node.rule !== undefined && below ? [`"${path}" has a rule, and so has something below it`] : [];
  const keys = [...node.keys].flatMap(([key, child]) => shadowed(child, path === "" ? key : `${path}.${key}`));
  return [...own, ...keys, ...(node.elements === undefined ? [] : shadowed(node.elements, `${path}[]`))];
}
