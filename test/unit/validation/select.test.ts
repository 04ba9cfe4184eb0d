import { describe, expect, it } from "vitest";
import { select } from "../../../engine/validation/catalogue.ts";
import { sampleCheck } from "./samples.ts";

const catalogue = [
  sampleCheck({ id: "infrastructure.a", quick: true }),
  sampleCheck({ id: "infrastructure.b" }),
  sampleCheck({ id: "security.c", category: "security", quick: true }),
];
const ids = (selection: Parameters<typeof select>[1]) => {
  const { run, leftOut } = select(catalogue, selection);
  return [run.map(({ id }) => id), leftOut.map(({ id }) => id)];
};

describe("select", () => {
  it.each([
    [{}, ["infrastructure.a", "infrastructure.b", "security.c"], []],
    [{ quick: true }, ["infrastructure.a", "security.c"], []],
    [{ only: ["infrastructure"] }, ["infrastructure.a", "infrastructure.b"], []],
    [{ only: ["infrastructure.b"], quick: true }, ["infrastructure.b"], []],
    [{ skip: ["security"] }, ["infrastructure.a", "infrastructure.b"], ["security.c"]],
    [{ only: ["infrastructure"], skip: ["infrastructure.a"] }, ["infrastructure.b"], ["infrastructure.a"]],
  ])("%j", (selection, run, leftOut) => {
    expect(ids(selection)).toEqual([run, leftOut]);
  });

  it("names every unknown check at once", () => {
    expect(() => ids({ only: ["nothing"], skip: ["security.z", "security"] })).toThrow('no check or category "nothing", "security.z"');
  });

  it("refuses to prove nothing", () => {
    expect(() => ids({ only: ["security"], skip: ["security.c"] })).toThrow("no check to run");
  });
});
