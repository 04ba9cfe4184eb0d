import type { ValidationCheck } from "../check.ts";
import { setCookiesOf } from "../httpClient.ts";
import { failed, passed, verdict } from "../outcome.ts";
import { readAccounts, SignInRefused, signInAs, signOut } from "../signIn.ts";

export const signInWorks: ValidationCheck = {
  id: "application.sign-in",
  category: "application",
  title: "A staging account can sign in",
  severity: "error",
  quick: true,
  run: async (context) => {
    try {
      const { account, answer } = await context.signedIn();
      return passed(`${account.role} signed in within ${Math.round(answer.durationMs)} ms and was given a session`);
    } catch (error) {
      if (!(error instanceof SignInRefused)) throw error;
      return failed(error.message, "See the application's log; the account comes from signIn.accounts of the workload.");
    }
  },
};

export const signInRefuses: ValidationCheck = {
  id: "application.sign-in-refuses",
  category: "application",
  title: "A wrong password is refused",
  severity: "error",
  quick: false,
  run: async (context) => {
    const { target, requirements, http, signal } = context;
    const [account] = await context.session("readOnly", (client) => readAccounts(client, requirements));
    // Straight to the application: the proxy counts attempts.
    const answer = await http.send(new URL(requirements.signIn.path, target.appUrl).href, {
      method: "POST",
      json: { email: account?.email, password: "not-the-password" },
      signal,
    });
    const session = setCookiesOf(answer).some((line) => new RegExp(`^${requirements.signIn.cookie}=[^;]`).test(line));
    const problems = [
      ...(answer.status === 401 || answer.status === 403 ? [] : [`it answered ${answer.status}, not 401 or 403`]),
      ...(session ? ["it gave a session cookie"] : []),
    ];
    return verdict(problems, { count: 1, evidence: `answered ${answer.status} and gave no session`, remedy: "The application must compare the password before it starts a session." });
  },
};

export const dashboardByRole: ValidationCheck = {
  id: "application.dashboard-by-role",
  category: "application",
  title: "Every role gets its dashboard",
  severity: "error",
  quick: false,
  timeoutMs: 8_000,
  run: async (context) => {
    const { target, requirements, http, signal } = context;
    const { dashboard } = requirements;
    if (dashboard === undefined) throw new Error("the workload names no dashboard");
    const accounts = await context.session("readOnly", (client) => readAccounts(client, requirements));
    // Straight to the application, one account after the other: the proxy counts sign-ins.
    const options = { baseUrl: target.appUrl, password: target.signInPassword, http, requirements, signal };
    const problems: string[] = [];
    for (const account of accounts) {
      const session = await signInAs(account, options);
      try {
        const answer = await http.send(new URL(dashboard.path, target.appUrl).href, { headers: session.headers, signal });
        if (answer.status !== 200) problems.push(`${account.role}: answered ${answer.status}`);
        const wanted = dashboard.contains.map((text) => text.replaceAll("{role}", account.role));
        problems.push(...wanted.filter((text) => !answer.body.includes(text)).map((text) => `${account.role}: "${text}" is not in it`));
      } finally {
        await signOut(session, options);
      }
    }
    return verdict(problems, {
      count: accounts.length,
      evidence: `${accounts.length} roles: ${accounts.map(({ role }) => role).join(", ")}`,
      remedy: "See ENABLE_UNIVERSAL_DASHBOARD and what the dashboard does with this role.",
    });
  },
};
