import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import { MessageReader, ownQuery, readFields, readFirstColumn, readText } from "./messages.ts";
import type { Message } from "./messages.ts";

/** What a client sent to be run, as one message: text that may hold several statements. Times of `performance.now()`. */
export interface SentQuery {
  readonly sql: string;
  /** Sent as one text, which ends with the server's ReadyForQuery; otherwise prepared and executed. */
  readonly isSimple: boolean;
  readonly connection: RelayedConnection;
  startedAt: number;
  endedAt: number | undefined;
  /** Rows by the server's word, of the last statement that gave a number. */
  rows: number | undefined;
  error: { readonly message: string; readonly state: string | undefined } | undefined;
}

export interface RelayHooks {
  /** Once the server has answered a connection's login, before the client learns of it; the connection can be asked. */
  readonly onConnect: (connection: RelayedConnection) => Promise<void>;
  /** Before the server gets it; it may wait. */
  readonly beforeQuery: (query: SentQuery) => Promise<void>;
  /** Before the client learns that it is done; the connection can be asked, unless the client sent more already. */
  readonly afterQuery: (query: SentQuery) => Promise<void>;
}

const sslRequest = 80_877_103;
const gssRequest = 80_877_104;
const cancelRequest = 80_877_102;

/** Listens on loopback and passes everything on to a server, one connection for one; sees each statement and its time. */
export class Relay {
  readonly #server: Server;
  readonly #open = new Set<RelayedConnection>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(target: ConnectionSettings, hooks: RelayHooks): Promise<Relay> {
    const server = createServer({ noDelay: true });
    const relay = new Relay(server);
    server.on("connection", (client) => {
      const connection = new RelayedConnection(client, connect({ host: target.host, port: target.port, noDelay: true }), hooks);
      relay.#open.add(connection);
      void connection.run().finally(() => relay.#open.delete(connection));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Server processes of the connections open now. */
  get pids(): readonly number[] {
    return [...this.#open].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  async close(): Promise<void> {
    for (const connection of this.#open) connection.end();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** One client's session on the server. */
export class RelayedConnection {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #hooks: RelayHooks;
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();
  #running: SentQuery[] = [];
  /** Queries and Syncs passed on that the server has not yet answered with ReadyForQuery. */
  #unanswered = 0;
  /** The server's process; known once it has answered the login. */
  pid: number | undefined;
  /** `I`: idle, `T`: in a transaction, `E`: in a failed one. */
  state = "I";
  /** Free to be asked: the server waits, and the client for us. */
  #atRest = false;
  #isLoggedIn = false;
  #answers: ((message: Message) => void) | undefined;

  constructor(client: Socket, server: Socket, hooks: RelayHooks) {
    this.#client = client;
    this.#server = server;
    this.#hooks = hooks;
  }

  /** Whether {@link ask} may be called: in a hook, and not when the client has sent more already or its transaction failed. */
  get canBeAsked(): boolean {
    return this.#atRest && this.state !== "E";
  }

  /** Passes everything on until one side ends. */
  async run(): Promise<void> {
    for (const socket of [this.#client, this.#server]) socket.on("error", () => {});
    await Promise.allSettled([this.#fromClient().finally(() => this.end()), this.#fromServer().finally(() => this.end())]);
  }

  end(): void {
    this.#client.destroySoon();
    this.#server.destroySoon();
  }

  /** First column of the rows of a query of ours in the client's own session. */
  async ask(sql: string): Promise<string[]> {
    if (!this.canBeAsked) throw new Error("the relayed connection is at work");
    const rows: string[] = [];
    await new Promise<void>((resolve, reject) => {
      let problem: string | undefined;
      this.#answers = ({ type, body }) => {
        if (type === "D") rows.push(readFirstColumn(body) ?? "");
        if (type === "E") problem = readFields(body).get("M") ?? "";
        if (type !== "Z") return;
        this.#answers = undefined;
        if (problem === undefined) resolve();
        else reject(new Error(problem));
      };
      this.#server.once("close", () => reject(new Error("the server ended the session")));
      this.#server.write(ownQuery(sql));
    });
    return rows;
  }

  async #fromClient(): Promise<void> {
    const reader = new MessageReader(this.#client);
    if (!(await this.#login(reader))) return;
    for (let message = await reader.next(); message !== undefined; message = await reader.next()) {
      await this.#note(message);
      if (message.type === "Q" || message.type === "S" || message.type === "F") this.#unanswered += 1;
      await this.#send(this.#server, message.bytes);
    }
  }

  /** Refuses encryption, which nobody on loopback needs, and passes on the login. False when there is none to follow. */
  async #login(reader: MessageReader): Promise<boolean> {
    for (let message = await reader.next(false); message !== undefined; message = await reader.next(false)) {
      const code = message.body.readInt32BE(0);
      if (code === sslRequest || code === gssRequest) {
        this.#client.write("N");
        continue;
      }
      this.#unanswered += 1;
      this.#server.write(message.bytes);
      return code !== cancelRequest;
    }
    return false;
  }

  async #note({ type, body }: Message): Promise<void> {
    if (type === "P") {
      const name = readText(body, 0);
      this.#statements.set(name.text, readText(body, name.next).text);
    } else if (type === "B") {
      const portal = readText(body, 0);
      this.#portals.set(portal.text, this.#statements.get(readText(body, portal.next).text) ?? "");
    } else if (type === "Q" || type === "E") {
      const text = readText(body, 0).text;
      const query: SentQuery = { sql: type === "Q" ? text : (this.#portals.get(text) ?? ""), isSimple: type === "Q", connection: this, startedAt: 0, endedAt: undefined, rows: undefined, error: undefined };
      await this.#hooks.beforeQuery(query);
      query.startedAt = performance.now();
      this.#running.push(query);
    }
  }

  async #fromServer(): Promise<void> {
    const reader = new MessageReader(this.#server);
    for (let message = await reader.next(); message !== undefined; message = await reader.next()) {
      if (this.#answers !== undefined) {
        this.#answers(message);
        continue;
      }
      this.#read(message);
      // Where the hooks may ask the server, its answers must be read meanwhile; it sends nothing else then.
      if (message.type === "Z" && this.#unanswered === 0) void this.#settle(message).catch(() => this.end());
      else if (message.type === "Z") await this.#settle(message);
      else await this.#send(this.#client, message.bytes);
    }
  }

  #read({ type, body }: Message): void {
    const current = this.#running.find(({ endedAt }) => endedAt === undefined);
    if (type === "K") this.pid = body.readInt32BE(0);
    if (type === "Z") {
      this.state = String.fromCodePoint(body[0] ?? 0);
      this.#unanswered -= 1;
    }
    if (current === undefined) return;
    if (type === "C") {
      const rows = /(\d+)$/.exec(readText(body, 0).text)?.[1];
      if (rows !== undefined) current.rows = Number(rows);
    }
    if (type === "E") {
      const fields = readFields(body);
      current.error = { message: fields.get("M") ?? "", state: fields.get("C") };
    }
    if (!current.isSimple && ["C", "E", "I", "s"].includes(type)) current.endedAt = performance.now();
  }

  async #settle(ready: Message): Promise<void> {
    const failed = this.#running.findIndex(({ error }) => error !== undefined);
    // What was sent after a failed one is not run before the next Sync.
    const done = failed === -1 ? this.#running : this.#running.slice(0, failed + 1);
    this.#running = [];
    const now = performance.now();
    this.#atRest = this.#unanswered === 0;
    try {
      if (!this.#isLoggedIn) await this.#hooks.onConnect(this);
      this.#isLoggedIn = true;
      for (const query of done) {
        query.endedAt ??= now;
        await this.#hooks.afterQuery(query);
      }
    } catch {
      // The server ended the session under a hook; the client finds out by itself.
    } finally {
      this.#atRest = false;
      await this.#send(this.#client, ready.bytes);
    }
  }

  async #send(to: Socket, bytes: Buffer): Promise<void> {
    if (to.destroyed || to.write(bytes)) return;
    await Promise.race([once(to, "drain"), once(to, "close")]);
  }
}
