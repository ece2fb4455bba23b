// Python in a worker: the seam between the page and whatever runs the cells.
//
// In:  {do: "start", base, kept}   {do: "run", code, count}
//      {do: "complete" | "inspect" | "is_complete", code, cursor}
// Out: {type: "progress", done, of}  {type: "ready"}  {type: "failed", why}
//      what `kernel.py` says (stream, display_data, error, …), and one {type: "reply"}
//      for each request. To interrupt or stop it, the page ends the worker.
import {
  ConsoleStdout, Directory, Fd, File, Inode, OpenFile, PreopenDirectory, WASI, wasi as abi,
} from "./shim/index.js";

const LIBRARY = "/usr/local/lib";
const encoder = new TextEncoder();
const say = (message) => postMessage(message);

class Mouth extends Fd {
  // What Python writes here, a line of JSON each time, goes to the page at once.
  constructor() { super(); this.rest = ""; this.decoder = new TextDecoder(); }
  fd_fdstat_get() {
    const stat = new abi.Fdstat(abi.FILETYPE_CHARACTER_DEVICE, 0);
    stat.fs_rights_base = BigInt(abi.RIGHTS_FD_WRITE);
    return { ret: 0, fdstat: stat };
  }
  fd_filestat_get() {
    return { ret: 0, filestat: new abi.Filestat(0n, abi.FILETYPE_CHARACTER_DEVICE, 0n) };
  }
  fd_write(data) {
    const lines = (this.rest + this.decoder.decode(data, { stream: true })).split("\n");
    this.rest = lines.pop();
    lines.forEach((line) => say(JSON.parse(line)));
    return { ret: 0, nwritten: data.byteLength };
  }
}

class Door extends Inode {
  constructor() { super(); this.mouth = new Mouth(); }
  path_open() { return { ret: 0, fd_obj: this.mouth }; }
  stat() { return new abi.Filestat(this.ino, abi.FILETYPE_CHARACTER_DEVICE, 0n); }
}

class Later extends File {
  // A big file, fetched when it is opened first; its size is known before.
  constructor(url, bytes) { super([], { readonly: true }); this.url = url; this.bytes = bytes; }
  get size() { return BigInt(this.bytes); }
  path_open(...how) {
    if (!this.data.length) this.data = fetchNow(this.url);
    if (!this.data.length) return { ret: abi.ERRNO_IO, fd_obj: null };
    return super.path_open(...how);
  }
}

function fetchNow(url) {
  // A cell waits for its file: in a worker a request may be waited for.
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  try { request.send(); } catch { return new Uint8Array(); }
  return request.status === 200 ? new Uint8Array(request.response) : new Uint8Array();
}

class Stopped extends Error {}

async function whole(response, count) {
  const parts = [];
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).arrayBuffer();
    parts.push(value);
    count(value.length);
  }
}

async function kept(name) {
  // Where the browser keeps nothing (a private window, a full disk) all is fetched anew.
  try { return await caches.open(name); } catch { return null; }
}

async function sha256(bytes) {
  // Only pages from https or from this machine may ask the browser for a sum.
  if (!globalThis.crypto?.subtle) return null;
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("");
}

async function part({ name, sha256: wanted }, base, store, count) {
  const url = new URL(name, base);
  let found = await store?.match(url).catch(() => null);
  for (const again of found ? [true, false] : [false]) {
    const response = found ?? await fetch(url, { cache: "no-cache" }).catch(() => null);
    if (!response?.ok) {
      throw new Stopped(`${name} could not be fetched (${response ? `the server says ${response.status}` : "no connection"}). Try again when the network is there: reload this page.`);
    }
    const bytes = await whole(response, count);
    const sum = await sha256(bytes);
    if (sum === null || sum === wanted) {
      if (!found) await store?.put(url, new Response(bytes)).catch(() => {});
      return bytes;
    }
    await store?.delete(url).catch(() => {});
    found = null;
    if (!again) throw new Stopped(`${name} was damaged on the way: its SHA-256 is ${sum}, expected ${wanted}. Reload this page to fetch it again.`);
  }
}

const unpacked = (bytes) =>
  new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));

function folder(files) {
  // {"a/b.py": File} as folders within folders.
  const root = new Map();
  for (const [path, file] of Object.entries(files)) {
    const names = path.split("/");
    const last = names.pop();
    let here = root;
    for (const name of names) {
      if (!here.has(name)) here.set(name, new Directory(new Map()));
      here = here.get(name).contents;
    }
    here.set(last, file);
  }
  return root;
}

let turn;

// (module (func try_table end)): exceptions as the standard has them since 2025.
const EXCEPTIONS = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 31, 64, 0, 11, 11);

function lacking() {
  // What this browser lacks, before anything big is fetched.
  if (typeof WebAssembly !== "object") return "WebAssembly";
  if (typeof DecompressionStream !== "function") return "DecompressionStream";
  return WebAssembly.validate(EXCEPTIONS) ? "" : "WebAssembly's exceptions (try_table)";
}

async function start({ base, kept: before }) {
  const what = lacking();
  if (what) {
    throw new Stopped(`This browser is too old for Python: it lacks ${what}. The Chrome, Edge, Firefox or Safari of today has it; update yours, or open this page in another. The notebook can be read and changed here all the same.`);
  }
  const manifest = await (await fetch(new URL("engine.json", base), { cache: "no-cache" })).json();
  const store = await kept(manifest.cache);
  const parts = Object.values(manifest.parts);
  const of = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const count = (n) => { done += n; say({ type: "progress", done, of }); };
  const get = (name) => part(manifest.parts[name], base, store, count);
  const [module, library, course] = await Promise.all([
    get("python").then((bytes) => WebAssembly.compileStreaming(new Response(
      unpacked(bytes).body, { headers: { "Content-Type": "application/wasm" } }))),
    get("library"),
    get("course").then((bytes) => unpacked(bytes).json()),
  ]).catch((error) => {
    throw error instanceof WebAssembly.CompileError
      ? new Stopped(`This browser cannot run this Python (${error.message}). Chrome, Edge, Firefox or Safari of the last two years can.`)
      : error;
  });
  await forget(manifest.cache);

  const files = Object.fromEntries(
    Object.entries(course).map(([path, text]) => [path, new File(encoder.encode(text))]));
  for (const [path, { name, bytes }] of Object.entries(manifest.later)) {
    files[path] = new Later(new URL(name, base), bytes);
  }
  for (const [path, text] of Object.entries(before ?? {})) {
    files[path] = new File(encoder.encode(text));
  }
  const out = new ConsoleStdout((bytes) =>
    say({ type: "stream", name: "stderr", text: new TextDecoder().decode(bytes) }));
  const room = (path, contents = new Map()) => new PreopenDirectory(path, contents);
  const wasi = new WASI(
    ["/usr/local/bin/python.wasm"],
    ["HOME=/tmp", "MPLBACKEND=Agg", "MPLCONFIGDIR=/tmp", "PYTHONDONTWRITEBYTECODE=1"],
    [
      new OpenFile(new File([])), out, out,
      room(LIBRARY, new Map([[manifest.library, new File(library, { readonly: true })]])),
      room(`${LIBRARY}/${manifest.library}/matplotlib/mpl-data`),
      room("/tmp"), room("/course", folder(files)), room("/page", new Map([["mouth", new Door()]])),
    ],
    { debug: false },
  );
  wasi.wasiImport.clock_time_get = clock(() => wasi.inst.exports.memory.buffer);
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasi.wasiImport, host: { call: () => -1 },
  });
  wasi.inst = instance;
  const python = instance.exports;
  python._initialize?.();
  turn = (code) => {
    const bytes = encoder.encode(code);
    const at = python.host_alloc(bytes.length) >>> 0;
    new Uint8Array(python.memory.buffer, at, bytes.length).set(bytes);
    return python.turn(at, bytes.length);
  };
  if (turn("import sys; sys.path.insert(0, '/course'); import kernel")) {
    throw new Stopped("Python was started, but the course could not be imported.");
  }
}

function clock(memory) {
  // Browsers round time to a tenth of a millisecond. So that nothing seems to take no
  // time at all, two looks at the clock are never equal.
  let last = 0n;
  return (id, _precision, at) => {
    const ms = id === abi.CLOCKID_REALTIME ? performance.timeOrigin + performance.now() : performance.now();
    let now = BigInt(Math.round(ms * 1e6));
    if (id !== abi.CLOCKID_REALTIME) last = now = now > last ? now : last + 1n;
    new DataView(memory()).setBigUint64(at, now, true);
    return abi.ERRNO_SUCCESS;
  };
}

async function forget(current) {
  // What an older version of the course kept is of no use any more.
  try {
    for (const name of await caches.keys()) {
      if (name.startsWith("course-engine-") && name !== current) await caches.delete(name);
    }
  } catch { /* nothing is kept here */ }
}

let started;
onmessage = async ({ data }) => {
  if (data.do === "start") {
    started = start(data);
    return started.then(
      () => {
        say({ type: "ready" });
        // Nearly every notebook imports it, and now there is time. (None is not shown.)
        turn("__import__(\"numpy\") and None");
      },
      (error) => say({ type: "failed", why: error instanceof Stopped ? error.message : String(error.stack ?? error) }),
    );
  }
  await started.catch(() => {});
  const { do: what, ...request } = data;
  // JSON is read by Python; a string in JSON is also one in Python.
  try {
    turn(`__import__("kernel").${what}(**__import__("json").loads(${JSON.stringify(JSON.stringify(request))}))`);
  } catch (error) {
    say({ type: "ended", why: String(error.message ?? error) });
  }
};
