// Who this page is: a token of the server's, asked for with the name, and renewed before it ends.

/**
 * Asks for a token in somebody's name; rejects with the reason where the server has one against it. Only the staff have a
 * password.
 */
export async function logIn(name, password) {
  const login = new Login(name, password);
  await login.token(true);
  return login;
}

class Login {
  #name; #password; #token;
  /** When the token has come, and when it ends, in ms since 1970. */
  #since = 0;
  #until = 0;
  #timer;

  constructor(name, password) {
    this.#name = name;
    this.#password = password;
  }

  /** A token for a connect. `fresh` where the last one was of no use: the server may have forgotten it. */
  async token(fresh = false) {
    if (fresh || Date.now() > (this.#since + this.#until) / 2) await this.#renew();
    return this.#token;
  }

  /** Keeps a connection in good standing: the server closes one whose token has ended. */
  keep(server) {
    clearTimeout(this.#timer);
    const half = (this.#since + this.#until) / 2 - Date.now();
    this.#timer = setTimeout(async () => {
      try {
        await server.request("auth.refresh", { token: await this.token(true) });
        this.keep(server);
      } catch {
        // The connection is gone, or will be when the token ends: the next one brings a new token.
      }
    }, Math.max(half, 500));
  }

  /** Forgets the token. */
  leave() {
    clearTimeout(this.#timer);
    this.#token = undefined;
  }

  /** The same identity for longer, where the server still knows it; else a new one by the same name. */
  async #renew() {
    const asked = this.#token && (await post("/refresh", {}, { Authorization: `Bearer ${this.#token}` }));
    const answer = asked?.ok ? asked : await post("/login", { name: this.#name, password: this.#password });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(body.message ?? `The server answered ${answer.status}.`);
    this.#token = body.token;
    this.#since = Date.now();
    this.#until = this.#since + body.seconds * 1000;
  }
}

function post(path, body, headers = {}) {
  return fetch(path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
}
