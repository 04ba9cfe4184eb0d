import type { Client } from "pg";
import { z } from "zod";
import { setCookiesOf, type HttpAnswer, type HttpClient } from "./httpClient.ts";
import type { Requirements } from "./requirements.ts";

export interface Account {
  readonly email: string;
  readonly role: string;
}

export interface SignedIn {
  readonly account: Account;
  readonly answer: HttpAnswer;
  /** The whole `Set-Cookie` line of the session. */
  readonly setCookie: string;
  /** The cookie's value as sent back, a secret while the session lives. */
  readonly cookieValue: string;
  /** For requests: `{ cookie: "name=value" }`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The application answered, and gave no session. */
export class SignInRefused extends Error {}

const accountRows = z.array(z.object({ email: z.string().min(1), role: z.string().min(1) })).min(1, "it yields no account");

/** The staging accounts that the workload names. @throws when the query yields none or something else. */
export async function readAccounts(client: Client, { signIn }: Requirements): Promise<Account[]> {
  const { rows } = await client.query(signIn.accounts);
  const parsed = accountRows.safeParse(rows);
  if (parsed.success) return parsed.data;
  throw new Error(`signIn.accounts of the workload is of no use: ${parsed.error.issues.map((issue) => issue.message).join("; ")}`);
}

interface SignInOptions {
  readonly baseUrl: string;
  readonly password: string | undefined;
  readonly http: HttpClient;
  readonly requirements: Requirements;
  readonly signal: AbortSignal;
}

/**
 * Signs an account in at `baseUrl`.
 * @throws SignInRefused, saying what was answered, when no session comes of it; another error when nothing was answered.
 */
export async function signInAs(account: Account, options: SignInOptions): Promise<SignedIn> {
  const { baseUrl, password, http, requirements, signal } = options;
  if (password === undefined) throw new Error("the stack's sign-in password was not given");
  const { path, cookie } = requirements.signIn;
  const answer = await http.send(new URL(path, baseUrl).href, {
    method: "POST",
    json: { email: account.email, password },
    signal,
  });
  const setCookie = setCookiesOf(answer).find((line) => line.startsWith(`${cookie}=`));
  const cookieValue = setCookie?.slice(cookie.length + 1).split(";")[0];
  if (answer.status >= 400 || setCookie === undefined || cookieValue === undefined || cookieValue === "") {
    const saw = setCookie === undefined ? `no cookie "${cookie}"` : "a cookie";
    throw new SignInRefused(`signing in as ${account.role} at ${path} answered ${answer.status} with ${saw}`);
  }
  return { account, answer, setCookie, cookieValue, headers: { cookie: `${cookie}=${cookieValue}` } };
}

/** Ends a session, so that validation leaves none behind. */
export async function signOut(
  session: SignedIn,
  options: { readonly baseUrl: string; readonly http: HttpClient; readonly requirements: Requirements },
): Promise<void> {
  const { signOut: request } = options.requirements.signIn;
  await options.http.send(new URL(request.path, options.baseUrl).href, {
    method: request.method,
    headers: session.headers,
    signal: AbortSignal.timeout(2_000),
  });
}
