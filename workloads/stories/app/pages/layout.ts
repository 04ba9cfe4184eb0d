import type { User } from "../users.ts";
import { html, Html, type HtmlPart } from "./html.ts";

/** What every page is given. */
export interface PageContext {
  readonly user: User | undefined;
  /** Path of the page, to mark it in the navigation. */
  readonly path: string;
  readonly environment: string;
  /** Address of an asset, with its version where that is known. */
  asset(name: string): string;
}

/** A whole page, as text. */
export function page(context: PageContext, title: string, body: HtmlPart): string {
  const { asset, user } = context;
  const heading = title === "" ? "1001 Stories" : `${title} · 1001 Stories`;
  return html`${new Html("<!doctype html>")}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${heading}</title>
<link rel="icon" type="image/svg+xml" href="${asset("favicon.svg")}">
<link rel="stylesheet" href="${asset("app.css")}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="site-header">
<div class="wide bar">
<a class="brand" href="/"><span class="brand-mark" aria-hidden="true">1001</span> Stories</a>
<nav aria-label="Main">${links(context)}</nav>
<div class="account">${user === undefined ? html`<a class="button small" href="/sign-in">Sign in</a>` : account(user)}</div>
</div>
</header>
<main id="content">
${body}
</main>
<footer class="site-footer">
<div class="wide"><p>Stories by young writers, read by everyone.</p><p>Environment: ${context.environment}</p></div>
</footer>
</body>
</html>
`.text;
}

function links({ path, user }: PageContext): Html[] {
  const all = [
    { href: "/stories", text: "Stories" },
    ...(user === undefined ? [] : [{ href: "/dashboard", text: "Dashboard" }, { href: "/orders", text: "Orders" }]),
  ];
  return all.map(({ href, text }) =>
    path.startsWith(href) ? html`<a href="${href}" aria-current="page">${text}</a>` : html`<a href="${href}">${text}</a>`,
  );
}

function account(user: User): Html {
  return html`<span class="who" dir="auto">${user.name}</span>
<form method="post" action="/api/auth/sign-out"><button class="button small quiet" type="submit">Sign out</button></form>`;
}

/** A message at the top of a page. */
export function notice(kind: "good" | "bad", text: string): Html {
  return html`<p class="notice ${kind}" role="${kind === "bad" ? "alert" : "status"}">${text}</p>`;
}
