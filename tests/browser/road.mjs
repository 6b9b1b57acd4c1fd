// The road between browser and node: one address that outlives the node, broken as tests want, with a note of all that passes.
import http from "node:http";

export class Road {
  #server;
  #sockets = new Set();
  /** Where the node is now. */
  to = "";
  /** `open`; `down`: every connection breaks; `silent`: streams open and say nothing; `no-streams`: something answers instead of streams. */
  state = "open";
  /** Method, address and headers of all that passed. */
  seen = [];

  async open(to, port = 0) {
    this.to = to;
    this.#server = http.createServer((request, response) => this.#pass(request, response));
    this.#server.on("connection", (socket) => {
      if (this.state === "down") return socket.destroy();
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** Breaks all that is under way, and goes on as told. */
  cut(state = this.state) {
    this.state = state;
    for (const socket of this.#sockets) socket.destroy();
  }

  close() {
    this.cut("down");
    this.#server.close();
  }

  #pass(request, response) {
    const { method, url, headers } = request;
    this.seen.push({ method, url, headers });
    const stream = url.startsWith("/graphql/stream");
    if (stream && this.state === "no-streams") {
      request.resume();
      response.writeHead(502, { "content-type": "text/html" });
      return response.end("<h1>Bad gateway</h1>");
    }
    const onward = http.request(this.to + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      if (stream && this.state === "silent") return answer.resume();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }
}
