// The real binary: a node with its simulator on loopback, killed and started again on the same data as tests want.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const WAIT_MS = 60_000;

export class Node {
  #binary;
  #folder;
  #process;
  url = "";
  adminKey = "";
  simulator = "";
  simulatorUser = "";

  constructor(binary, folder) {
    this.#binary = binary;
    this.#folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  async start() {
    const log = createWriteStream(join(this.#folder, "node.log"), { flags: "a" });
    const data = join(this.#folder, "data");
    const args = ["up", "--data", data, "--listen", "127.0.0.1:0", "--simulator-listen", "127.0.0.1:0"];
    const child = spawn(this.#binary, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CONVENE_LOG: "debug" } });
    this.#process = child;
    child.stderr.pipe(log, { end: false });
    let said = "";
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the node did not start:\n${said}\n${this.log()}`)), WAIT_MS);
      child.once("exit", (code) => reject(new Error(`the node ended with ${code}:\n${said}\n${this.log()}`)));
      child.stdout.on("data", (piece) => {
        said += piece;
        log.write(piece);
        if (!said.includes("Stop with Ctrl-C")) return;
        clearTimeout(timer);
        child.removeAllListeners("exit");
        resolve();
      });
    });
    const after = (label) => new RegExp(`${label} +(\\S+)`).exec(said)?.[1] ?? "";
    this.url = after("GraphQL").replace(/\/graphql$/, "");
    this.adminKey = after("Admin key");
    this.simulator = after("Simulator");
    this.simulatorUser = after("user");
  }

  /** As when the power goes. */
  async kill() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
  }

  /** What it logged, over all its lives; what it printed included. */
  log() {
    return readFileSync(join(this.#folder, "node.log"), "utf8");
  }
}
