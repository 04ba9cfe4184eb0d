import { basename, relative } from "node:path";
import { whyForbidden } from "./layers.ts";

interface ImportingNode {
  source: { type?: string; value?: unknown } | null;
}

interface RuleContext {
  cwd: string;
  filename: string;
  report(finding: { node: unknown; message: string }): void;
}

/** Holds the direction of imports, static, dynamic and type-only alike. */
const oneWayImports = {
  create(context: RuleContext) {
    const check = (node: ImportingNode): void => {
      if (typeof node.source?.value !== "string") return;
      const message = whyForbidden(context.cwd, context.filename, node.source.value);
      if (message !== undefined) context.report({ node: node.source, message });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

/** A file is named after its one idea; `utils` and `helpers` are names for having none. */
const tellingFileNames = {
  create(context: RuleContext) {
    return {
      Program(node: unknown): void {
        if (!/^(utils?|helpers?|misc|common)\./.test(basename(context.filename))) return;
        const file = relative(context.cwd, context.filename);
        context.report({ node, message: `${file} says nothing about what is in it. Name it after its one idea.` });
      },
    };
  },
};

/** The project's own lint rules; loaded by `.oxlintrc.json`. */
export default {
  meta: { name: "understudy" },
  rules: { "one-way-imports": oneWayImports, "telling-file-names": tellingFileNames },
};
