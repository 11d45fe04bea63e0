// The doors of the chat. Behind each is the same gateway; a page cannot tell the difference.
//
// Each `connect(path, query)` resolves to an object with the methods of narthex.js: emit, request, on, watch, retry, close.

import { connect as connectWebSocket } from "./narthex.js";

function url(scheme, path, query) {
  return `${scheme}//${location.host}${path}?${new URLSearchParams(query)}`;
}

const secure = location.protocol === "https:";

export const doors = {
  ws: {
    name: "WebSocket",
    connect: async (path, query) => connectWebSocket(url(secure ? "wss:" : "ws:", path, query)),
  },
  socketio: {
    name: "Socket.IO",
    async connect(path, query) {
      const { connect } = await import("./socketio.js").catch(() => {
        throw new Error("The official client is not there: run `npm ci` in tests/clients and start the chat again.");
      });
      return connect(path, query);
    },
  },
  sse: {
    name: "SSE",
    async connect(path, query) {
      const { connect } = await import("./sse.js");
      return connect(url(location.protocol, path, query));
    },
  },
};
