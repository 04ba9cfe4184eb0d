import type { ReadingEntry, Totals } from "../dashboard.ts";
import type { Order } from "../orders.ts";
import type { DashboardKind, Role } from "../roles.ts";
import type { User } from "../users.ts";
import { count, day, label, money } from "./format.ts";
import { html, type Html } from "./html.ts";
import { notice, page, type PageContext } from "./layout.ts";

export function signInPage(context: PageContext, options: { next: string; email?: string; problem?: string }): string {
  return page(
    context,
    "Sign in",
    html`<div class="narrow">
<form class="panel stack" method="post" action="/api/auth/sign-in">
<h1>Sign in</h1>
${options.problem !== undefined && notice("bad", options.problem)}
<input type="hidden" name="next" value="${options.next}">
<label>Email <input type="email" name="email" value="${options.email ?? ""}" autocomplete="username" required autofocus></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button class="button" type="submit">Sign in</button>
<p class="muted">On ${context.environment} every account opens with the shared ${context.environment} password.</p>
</form>
</div>`,
  );
}

export interface DashboardData {
  readonly kind: DashboardKind;
  readonly effectiveRole: Role;
  readonly totals: Totals;
  readonly reading: readonly ReadingEntry[];
  readonly orders: readonly Order[];
  readonly written: readonly { slug: string; title: string; status: string }[];
  readonly usersByRole: readonly { role: string; users: number }[];
  readonly canChooseRole: boolean;
}

export function dashboardPage(context: PageContext, user: User, data: DashboardData): string {
  const { kind, totals } = data;
  const shows = (...kinds: DashboardKind[]): boolean => kinds.includes(kind);
  return page(
    context,
    "Dashboard",
    html`<div class="wide" data-dashboard="${kind}">
<div class="page-head">
<h1>Hello, <bdi>${user.name}</bdi></h1>
<p class="muted"><span class="badge">${label(data.effectiveRole)}</span>${user.schoolName !== undefined && html` <bdi>${user.schoolName}</bdi>`}
${data.canChooseRole && html` <a href="/choose-role">Change role</a>`}</p>
</div>
<dl class="figures">
${figure("Reading", totals.reading)}${figure("Finished", totals.finished)}${figure("Orders", totals.orders)}${figure("Donated", money(totals.donatedCents))}
</dl>
<div class="columns">
${!shows("admin") && readingPanel(data.reading)}
${shows("universal", "customer", "institution") && ordersPanel(data.orders)}
${(shows("author") || data.written.length > 0) && writtenPanel(data.written)}
${shows("teacher") && panel("Your class", html`<p class="muted">Pick a story, read it aloud, and tell us how it went.</p><p><a href="/stories?tag=bedtime">Stories to read aloud</a></p>`)}
${shows("volunteer") && panel("Helping out", html`<p class="muted">Books wait to be sent. Thank you for being here.</p>`)}
${shows("admin") && usersPanel(data.usersByRole)}
</div>
</div>`,
  );
}

export function ordersPage(context: PageContext, orders: readonly Order[], placed: string | undefined): string {
  return page(
    context,
    "Orders",
    html`<div class="wide">
<div class="page-head"><h1>Orders</h1></div>
${placed !== undefined && notice("good", `Thank you. Your order ${placed} is placed.`)}
${orders.length === 0 ? html`<p class="empty">Nothing ordered yet. <a href="/stories">Find a story</a></p>` : ordersTable(orders)}
</div>`,
  );
}

export function chooseRolePage(context: PageContext, current: Role, selectable: readonly Role[]): string {
  return page(
    context,
    "Choose your role",
    html`<div class="narrow">
<form class="panel stack" method="post" action="/api/role">
<h1>Who are you here?</h1>
<fieldset><legend class="muted">This decides what your dashboard shows.</legend>
${selectable.map((role) => html`<label class="choice"><input type="radio" name="role" value="${role}" required${role === current && html` checked`}> ${label(role)}</label>`)}
</fieldset>
<button class="button" type="submit">Save</button>
</form>
</div>`,
  );
}

export function problemPage(context: PageContext, status: number, title: string, advice: string): string {
  return page(
    context,
    title,
    html`<div class="narrow problem"><p class="muted">${status}</p><h1>${title}</h1><p>${advice}</p><p><a class="button quiet" href="/">To the front page</a></p></div>`,
  );
}

function figure(name: string, value: number | string): Html {
  return html`<div><dt>${name}</dt><dd>${typeof value === "number" ? new Intl.NumberFormat("en-GB").format(value) : value}</dd></div>`;
}

function panel(title: string, body: Html): Html {
  return html`<section class="panel"><h2>${title}</h2>${body}</section>`;
}

function readingPanel(reading: readonly ReadingEntry[]): Html {
  if (reading.length === 0) return panel("Your reading", html`<p class="empty">Nothing yet. <a href="/stories">Find a story</a></p>`);
  return panel(
    "Your reading",
    html`<ul class="rows">${reading.map(
      (entry) => html`<li><span><a dir="auto" href="/stories/${entry.slug}">${entry.title}</a>${entry.isFavorite && html`<span class="star" role="img" aria-label="Favourite">★</span>`}</span>
<span class="read"><progress max="100" value="${entry.progress}" aria-label="Read"></progress>${Math.floor(entry.progress)}%</span></li>`,
    )}</ul>`,
  );
}

function ordersPanel(orders: readonly Order[]): Html {
  if (orders.length === 0) return panel("Your orders", html`<p class="empty">Nothing ordered yet.</p>`);
  return panel(
    "Your orders",
    html`<ul class="rows">${orders.map(
      (order) => html`<li><span dir="auto">${order.storyTitle ?? "A story that is gone"}</span><span class="badge ${order.status.toLowerCase()}">${label(order.status)}</span></li>`,
    )}</ul><p><a href="/orders">All orders</a></p>`,
  );
}

function writtenPanel(written: DashboardData["written"]): Html {
  if (written.length === 0) return panel("Your stories", html`<p class="empty">You have not written one yet.</p>`);
  return panel(
    "Your stories",
    html`<ul class="rows">${written.map((story) => html`<li><span dir="auto">${story.title}</span><span class="badge">${label(story.status)}</span></li>`)}</ul>`,
  );
}

function usersPanel(usersByRole: DashboardData["usersByRole"]): Html {
  return panel(
    "People",
    html`<ul class="rows">${usersByRole.map(({ role, users }) => html`<li><span>${label(role)}</span><strong>${count(users, "person", "people")}</strong></li>`)}</ul>`,
  );
}

function ordersTable(orders: readonly Order[]): Html {
  return html`<div class="table-scroll"><table>
<thead><tr><th scope="col">Order</th><th scope="col">Story</th><th scope="col">Placed</th><th scope="col">Status</th><th scope="col" class="number">Amount</th></tr></thead>
<tbody>${orders.map(
    (order) => html`<tr><td><code>${order.number}</code></td>
<td dir="auto">${order.storySlug === null ? (order.storyTitle ?? "A story that is gone") : html`<a href="/stories/${order.storySlug}">${order.storyTitle ?? ""}</a>`}</td>
<td>${day(order.createdAt)}</td><td><span class="badge ${order.status.toLowerCase()}">${label(order.status)}</span></td><td class="number">${money(order.amountCents, order.currency)}</td></tr>`,
  )}</tbody></table></div>`;
}
