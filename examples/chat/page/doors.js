// The doors of the chat. Behind each is the same gateway; a page cannot tell the difference.
//
// Each `connect(path, login)` resolves to an object with the methods of narthex.js: emit, request, on, watch, retry, close. The
// token of `login` goes where the door has a place for it: never into the URL, which ends up in logs.

import { connect } from "./narthex.js";

function url(scheme, path) {
  return `${scheme}//${location.host}${path}`;
}

const secure = location.protocol === "https:";

export const doors = {
  ws: {
    name: "WebSocket",
    async connect(path, login) {
      // A page cannot set headers here; a sub-protocol is the one header that it can fill.
      const socket = async (url, failed) => new WebSocket(url, ["bearer", await login.token(failed)]);
      return connect(url(secure ? "wss:" : "ws:", path), { socket });
    },
  },
  socketio: {
    name: "Socket.IO",
    async connect(path, login) {
      const socketio = await import("./socketio.js").catch(() => {
        throw new Error("The official client is not there: run `npm ci` in tests/clients and start the chat again.");
      });
      return socketio.connect(path, async (failed) => ({ token: await login.token(failed) }));
    },
  },
  sse: {
    name: "SSE",
    async connect(path, login) {
      const { SseSocket } = await import("./sse.js");
      const headers = async () => ({ Authorization: `Bearer ${await login.token()}` });
      const socket = async (url, failed) => {
        if (failed) await login.token(failed);
        return new SseSocket(url, { headers });
      };
      return connect(url(location.protocol, path), { socket });
    },
  },
};
