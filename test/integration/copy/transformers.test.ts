import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ColumnShape, TypeFamily } from "../../../engine/masking/column.ts";
import { compileMask } from "../../../engine/masking/compile.ts";
import { companies, givenNames, streets, surnames, towns } from "../../../engine/masking/dictionaries.ts";
import { deriveDomainKey, keyedHash, keySetting } from "../../../engine/masking/key.ts";
import { columnRule } from "../../../engine/masking/rule.ts";
import { quoteIdentifier, quoteLiteral } from "../../../engine/postgres/identifier.ts";
import { startPostgres } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";

let server: TestServer;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = new Client({ ...server.admin(), ssl: false });
  await client.connect();
  await useKey("the secret of one stack");
});
afterAll(async () => {
  await client.end();
  await server.stop("immediate");
});

const domains = ["email", "first_name", "last_name", "full_name", "phone", "address", "city", "company", "url", "ip", "uuid", "token", "card", "text", "redact", "hash", "date_shift", "number", "expression"];

async function useKey(secret: string): Promise<void> {
  for (const domain of domains) await client.query("SELECT set_config($1, $2, false)", [keySetting(domain), deriveDomainKey(secret, domain).toString("hex")]);
}

const shapeOf = (type: string, family: TypeFamily, more: Partial<ColumnShape> = {}): ColumnShape => ({ name: "v", type, family, baseType: type, notNull: false, ...more });
const textShape = shapeOf("text", "text");

/** Masks values with the SQL that a copy would run, in their order. */
async function mask(rule: unknown, values: readonly (string | null)[], shape: ColumnShape = textShape, others = ""): Promise<(string | null)[]> {
  const { sql, hashes } = compileMask(columnRule.parse(rule), shape);
  const computed = [...hashes].map(([alias, hash]) => `, ${hash} AS ${quoteIdentifier(alias)}`).join("");
  const rows = values.map((value, index) => `(${index}, ${value === null ? "NULL" : quoteLiteral(value)}::${shape.type})`).join(",");
  const answer = await client.query<{ masked: string | null }>(
    `SELECT (${sql})::text AS masked FROM (SELECT t.* ${computed} FROM (SELECT n, v ${others} FROM (VALUES ${rows}) AS r(n, v)) AS t OFFSET 0) AS t ORDER BY n`,
  );
  return answer.rows.map(({ masked }) => masked);
}

const people = Array.from({ length: 3_000 }, (_, index) => `Person ${index} von Öst`);

describe("every transformer", () => {
  test.each(["email", "first-name", "last-name", "full-name", "phone", "address", "city", "company", "url", "ip", "uuid", "token", "card", "text", "redact", "hash"])(
    "%s: NULL stays NULL, the same value has the same mask, and another key nothing in common",
    async (name) => {
      const values = [null, "Maria Sá 9123456789 at m@example.org", "Maria Sá 9123456789 at m@example.org", "x9"];
      const [nothing, first, second] = await mask(name, values);
      expect(nothing).toBeNull();
      expect(first).toBe(second);
      expect(first).not.toBe(values[1]);
      if (["first-name", "redact", "company", "city"].includes(name)) return;
      await useKey("the secret of another stack");
      const [, other] = await mask(name, values);
      await useKey("the secret of one stack");
      expect(other).not.toBe(first);
    },
  );

  test("the hash is what this program computes", async () => {
    const key = deriveDomainKey("the secret of one stack", "hash");
    expect(await mask("hash", ["Ünï 🦊", ""])).toEqual([keyedHash(key, "Ünï 🦊").toString("hex"), ""]);
    expect(deriveDomainKey("the secret of one stack", "email").equals(key)).toBe(false);
  });

  test.each(["email", "url", "uuid", "hash"])("%s: different values stay different", async (name) => {
    expect(new Set(await mask(name, people)).size).toBe(people.length);
  });
});

describe("form", () => {
  test("emails are staging's, and fit a narrow column", async () => {
    for (const masked of await mask("email", ["", "a@b", ...people.slice(0, 20)])) expect(masked).toMatch(/^user-[0-9a-f]{20}@staging\.local$/);
    for (const masked of await mask("email", people.slice(0, 20), shapeOf("varchar(30)", "text", { maxLength: 30 }))) expect(masked).toMatch(/^[0-9a-f]{16}@staging\.local$/);
  });

  test("names, places and companies come from the dictionaries, all of them in use", async () => {
    const used = async (name: string) => new Set(await mask(name, people));
    expect([...(await used("first-name"))].sort()).toEqual([...givenNames].sort());
    expect([...(await used("last-name"))].sort()).toEqual([...surnames].sort());
    expect([...(await used("city"))].sort()).toEqual([...towns].sort());
    expect([...(await used("company"))].sort()).toEqual([...companies].sort());
    const full = await mask("full-name", people);
    for (const masked of full) {
      const [given = "", family = ""] = masked?.split(" ") ?? [];
      expect(givenNames).toContain(given);
      expect(surnames).toContain(family);
    }
    for (const masked of await mask("address", people.slice(0, 50))) expect(streets).toContain(masked?.replace(/^\d+ /, ""));
    for (const masked of await mask("last-name", people, shapeOf("varchar(5)", "text", { maxLength: 5 }))) expect(masked?.length).toBeLessThanOrEqual(5);
  });

  test("a telephone number keeps its form and is nobody's; words in it do not stay", async () => {
    const numbers = ["+351 912-345.678", "(415) 555 0123", "12", "", "call Maria 9123456", "+1-202-555-0173 \"\\ x", "99999999999999999999999", "n/a"];
    const masked = await mask("phone", numbers);
    expect(masked.map((value) => value?.replaceAll(/\d/g, "0"))).toEqual([
      "+000 000-000.000", "(000) 000 0000", "00", "", "xxxx xxxxx 0000000", "+0-000-000-0000 xx x", "00000000000000000000000", "x/x",
    ]);
    expect(masked[6]).toMatch(/^0{5}999/);
    for (const value of [masked[0], masked[1], masked[4]]) expect(value?.replaceAll(/\D/g, "")).toMatch(/^999/);
    expect(new Set(await mask("phone", people.map((_, index) => `+351 9${String(index).padStart(8, "0")}`))).size).toBeGreaterThan(people.length - 20);
  });

  test("a card number is of the test range and passes Luhn's check; the last four stay four", async () => {
    const luhn = (digits: string) =>
      [...digits].toReversed().reduce((sum, digit, index) => sum + (index % 2 === 0 ? Number(digit) : Number(digit) * 2 - (Number(digit) > 4 ? 9 : 0)), 0) % 10;
    const masked = await mask("card", people.slice(0, 200).map((_, index) => `4111 1111 1111 ${1_000 + index}`));
    for (const value of masked) {
      expect(value).toMatch(/^4000 00\d\d \d{4} \d{4}$/);
      expect(luhn((value ?? "").replaceAll(" ", ""))).toBe(0);
    }
    expect((await mask("card", ["1234", "4111111111111111"])).map((value) => value?.length)).toEqual([4, 16]);
  });

  test("text and tokens keep their length, whatever it is", async () => {
    const lengths = [0, 1, 2, 63, 64, 65, 629, 631, 5_000, 20_000];
    for (const name of ["text", "token"]) {
      const masked = await mask(name, lengths.map((length) => "ü".repeat(length)));
      expect(masked.map((value) => value?.length)).toEqual(lengths);
      for (const value of masked.slice(1)) expect(value?.trim()).not.toBe("");
    }
  });

  test("addresses of networks stay in their family and length", async () => {
    const masked = await mask("ip", ["192.0.2.1", "198.51.100.0/24", "2001:db8::1", "2001:db8::/64"], shapeOf("inet", "inet"));
    expect(masked.map((value) => value?.replace(/^10\.\d+\.\d+\.\d+/, "four").replace(/^fd00:[0-9a-f:]+/, "six"))).toEqual(["four/32", "four/24", "six/128", "six/64"]);
    expect(await mask("ip", ["192.0.2.0/24"], shapeOf("cidr", "inet"))).toEqual([expect.stringMatching(/^10\.\d+\.\d+\.0\/24$/)]);
    expect(await mask("ip", ["10.0.0.0/8"], shapeOf("cidr", "inet"))).toEqual([expect.stringMatching(/^24\d\.0\.0\.0\/8$|^25[0-5]\.0\.0\.0\/8$/)]);
    expect(await mask("ip", ["::1", "127.0.0.1"])).toEqual([expect.stringMatching(/^fd00::/), expect.stringMatching(/^10\./)]);
  });

  test("UUIDs are valid, in uuid and in text columns", async () => {
    const form = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
    const [value = ""] = ["5c4f1f9e-0000-4000-8000-000000000001"];
    expect(await mask("uuid", [value], shapeOf("uuid", "uuid"))).toEqual([expect.stringMatching(form)]);
    expect(await mask("uuid", [value])).toEqual(await mask("uuid", [value], shapeOf("uuid", "uuid")));
  });

  test("redaction leaves the text and takes addresses and numbers", async () => {
    expect(await mask("redact", ["Write to Maria <m.s@example.org> or +351 912 345 678. Page 12."])).toEqual([
      "Write to Maria <redacted@staging.local> or 0000000. Page 12.",
    ]);
  });

  test("arrays are masked element by element", async () => {
    const shape = shapeOf("text[]", "array", { elementFamily: "text", elementType: "text" });
    const [first, empty, nothing] = await mask("email", ['{a@b.c,NULL,"d@e, f"}', "{}", null], shape);
    expect(first).toMatch(/^\{user-[0-9a-f]{20}@staging\.local,NULL,user-[0-9a-f]{20}@staging\.local\}$/);
    expect([empty, nothing]).toEqual(["{}", null]);
  });

  test("arrays of several dimensions keep their shape, with quotes, backslashes and NULL in them", async () => {
    const shape = shapeOf("text[]", "array", { elementFamily: "text", elementType: "text" });
    const values = [String.raw`{{a,"b\\"},{NULL,""}}`, String.raw`{{{x,y}},{{"z\"z",w}}}`, "[0:1]={p,q}"];
    const [square, cube, shifted] = await mask("token", values, shape);
    expect(square).toMatch(/^\{\{[0-9a-f],[0-9a-f]{2}\},\{NULL,""\}\}$/);
    expect(cube).toMatch(/^\{\{\{[0-9a-f],[0-9a-f]\}\},\{\{[0-9a-f]{3},[0-9a-f]\}\}\}$/);
    expect(shifted).toMatch(/^\{[0-9a-f],[0-9a-f]\}$/);
    const [flat] = await mask("token", ["{a,w}"], shape);
    expect([square?.[2], cube?.at(-4)]).toEqual([flat?.[1], flat?.[3]]);
    // Written with quotes again: masks that need them.
    const [quoted] = await mask("full-name", ['{{Ana,Rui}}'], shape);
    expect(quoted).toMatch(/^\{\{"[^"]+ [^"]+","[^"]+ [^"]+"\}\}$/);
  });
});

describe("dates and numbers", () => {
  test("dates of one subject move together, at most so far back, never forward", async () => {
    const rule = { mask: "date-shift", subject: "s", days: 10 };
    const shape = shapeOf("timestamptz", "date");
    await client.query("SET timezone = 'UTC'");
    const dates = ["2024-03-01 12:00:00+00", "2024-03-05 13:30:00.5+00"];
    const alike = await mask(rule, dates, shape, ", 'subject 1' AS s");
    const [from = 0, to = 0] = alike.map((value) => Date.parse(value?.replace(" ", "T").replace("+00", "Z") ?? ""));
    expect(to - from).toBe(4 * 86_400_000 + 5_400_500);
    const shifts = await mask(rule, people.slice(0, 300).map(() => dates[0] ?? ""), shape, ", n AS s");
    const days = shifts.map((value) => (Date.parse("2024-03-01T12:00:00Z") - Date.parse(value?.replace(" ", "T").replace("+00", "Z") ?? "")) / 86_400_000);
    expect([...new Set(days)].sort((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await mask(rule, ["infinity"], shape, ", 1 AS s")).toEqual(["infinity"]);
  });

  test("noise stays within its bound and its type, with as many decimals; buckets round down", async () => {
    const noise = { mask: "number", noisePercent: 50 };
    for (const value of await mask(noise, people.slice(0, 100).map((_, index) => String(1_000 + index)), shapeOf("int4", "number"))) {
      expect(Number(value)).toBeGreaterThanOrEqual(500);
      expect(Number(value)).toBeLessThanOrEqual(1_650);
    }
    expect(Number((await mask(noise, ["2147483647", "-2147483647"], shapeOf("int4", "number")))[0])).toBeLessThanOrEqual(2_147_483_647);
    expect((await mask(noise, ["9999.99"], shapeOf("numeric(6,2)", "number", { baseType: "numeric" })))[0]).toMatch(/^\d{4}\.\d\d$/);
    expect(await mask({ mask: "number", bucket: 25 }, ["0", "24", "26", "-1"], shapeOf("int4", "number"))).toEqual(["0", "0", "25", "-25"]);
  });
});

describe("JSON, constants and expressions", () => {
  const json = shapeOf("jsonb", "json");
  const rule = { mask: "json", paths: { locale: "keep", "contact.email": "email", "people[].name": "full-name", "people[].age": { mask: "number", bucket: 10 }, note: "null", "a.b": { mask: "constant", value: 7 }, '"x.y"': "keep" } };
  const parsed = async (others: "drop" | "keep", value: unknown) => JSON.parse((await mask({ ...rule, others }, [JSON.stringify(value)], json))[0] ?? "null") as unknown;

  test("paths are treated, what no path names is dropped or kept, and absent keys stay absent", async () => {
    const value = { locale: "de", contact: { email: "a@b.c", phone: "1" }, people: [{ name: "Ana Sá", age: 37, extra: 1 }, { name: null }], note: "n", "x.y": 1, other: { deep: "a@b.c" } };
    expect(await parsed("drop", value)).toEqual({
      locale: "de",
      contact: { email: expect.stringMatching(/@staging\.local$/) },
      people: [{ name: expect.not.stringContaining("Ana Sá"), age: 30 }, { name: null }],
      note: null,
      "x.y": 1,
    });
    expect(await parsed("keep", value)).toMatchObject({ other: { deep: "a@b.c" }, contact: { phone: "1" }, people: [{ extra: 1 }, {}] });
    expect(await parsed("drop", {})).toEqual({});
  });

  test("another shape than the paths expect lets nothing through", async () => {
    expect(await parsed("drop", { contact: "a@b.c", people: "Ana", a: ["secret"], locale: 5 })).toEqual({ contact: null, people: null, a: [], locale: 5 });
    expect(await parsed("drop", ["secret"])).toEqual([]);
    expect(await parsed("drop", "secret")).toBeNull();
    expect(await parsed("drop", { contact: { email: { a: "a@b.c" } } })).toEqual({ contact: { email: null } });
  });

  test("a constant replaces what is there; an expression sees the row and the hash", async () => {
    expect(await mask({ mask: "constant", value: "x" }, ["a", null])).toEqual(["x", null]);
    expect(await mask({ mask: "expression", sql: "upper(left({value}, 1)) || extra || left({hash}, 4)" }, ["abc", null], textShape, ", '-' AS extra")).toEqual([
      expect.stringMatching(/^A-[0-9a-f]{4}$/),
      null,
    ]);
  });
});
