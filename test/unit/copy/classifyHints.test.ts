import { describe, expect, test } from "vitest";
import { isAboutPeople, kindByComment, kindByName, saysHarmless, wordsOf } from "../../../engine/copy/classify/hints.ts";

describe("what a column's name says", () => {
  test.each([
    ["donorEmail", "email"],
    ["E-Mail", "email"],
    ["CONTACT_PHONE_NO", "phone"],
    ["telemóvel", "phone"],
    ["Straße", "address"],
    ["shipping_address_line_2", "address"],
    ["date_of_birth", "birth-date"],
    ["passwordHash", "secret"],
    ["session_id", "secret"],
    ["last_ip", "ip"],
    ["cardLast4", "card"],
    ["IBAN", "iban"],
    ["tax_id", "identity-number"],
    ["Vorname", "first-name"],
    ["maidenName", "last-name"],
    ["cardholder", "full-name"],
    ["user_name", "login"],
    ["PLZ", "postcode"],
    ["lng", "position"],
    ["annual_salary", "income"],
    ["marital_status", "special-category"],
    ["avatar_url", "url"],
    ["notes", "free-text"],
  ])("%s: %s", (name, kind) => expect(kindByName(name)).toBe(kind));

  test.each(["email_template", "phone_verified", "email_sent_at", "address_id", "token_expires_at", "card_type", "mailbox", "panel", "company_id", "ship_to_port", "id", "amount", "title", "created_at", "tin_foil_colour"])(
    "%s: nothing",
    (name) => expect(kindByName(name)).toBeUndefined(),
  );

  test("a comment speaks for itself, and says no as well", () => {
    expect(kindByComment("the customer's e-mail")).toBe("email");
    expect(kindByComment("GDPR: as the clerk wrote it")).toBe("personal");
    expect(kindByComment("contains no PII")).toBeUndefined();
    expect(kindByComment("Set by the nightly job that sends a mail to everybody who has not paid for more than two weeks")).toBeUndefined();
    expect(kindByComment(undefined)).toBeUndefined();
  });

  test("tables of people, and columns that are nobody's", () => {
    expect(["User", "app_customers", "EMPLOYEE", "BlogAuthor"].every(isAboutPeople)).toBe(true);
    expect(["orders", "userland", "story"].some(isAboutPeople)).toBe(false);
    expect(["productSku", "etag", "page_title"].every(saysHarmless)).toBe(true);
    expect(wordsOf("URLForHTTPServer2Name")).toBe("url for http server2 name");
  });
});
