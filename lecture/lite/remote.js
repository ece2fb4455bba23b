// The course's kernel for JupyterLite: a worker that runs Python (engine.js), and what
// it says put into Jupyter's messages. JupyterLite loads this file as a federated
// extension; it is written by hand, so nothing has to be bundled.
(() => {
  const NAME = "course-kernel";
  const here = new URL(".", document.currentScript.src);
  const ENGINE = new URL("../../../engine/", here);
  const KEPT = "backpropagation-from-scratch:";
  let shared;

  async function load(name) {
    const versions = Object.values(shared[name] ?? {});
    if (!versions.length) throw new Error(`${NAME}: this JupyterLite does not share ${name}.`);
    return (await versions[0].get())();
  }

  // --- what was written and has to be there after a reload -------------------------------

  function remember(name, text) {
    try { localStorage.setItem(KEPT + name, text); } catch { return false; }
    return true;
  }

  function remembered() {
    const files = {};
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(KEPT)) files[key.slice(KEPT.length)] = localStorage.getItem(key);
      }
    } catch { /* the browser keeps nothing: a private window */ }
    return files;
  }

  async function isKept() {
    // A private window may refuse all, or only what is written.
    try {
      await new Promise((yes, no) => {
        const asked = indexedDB.open(`${KEPT}asked`);
        asked.onsuccess = () => { asked.result.close(); yes(); };
        asked.onerror = () => no(asked.error);
      });
      return remember("asked", "yes");
    } catch { return false; }
  }

  let unkept = false; // said once
  const UNKEPT = "This browser keeps nothing for this page (a private window, or its settings refuse it): what you write is gone when the tab is closed. Before that, File > Download puts your notebook among your downloads. Which exercises are passed is forgotten.";
  const UNSAVED = (name) => `${name} could not be saved: this browser's storage is full, or refuses. What you wrote still stands on this page. Keep it by the button below (File > Download would save first); then make room on the disk, or in what this browser keeps of other pages, and save again. Until then nothing is saved by itself.`;

  // --- the bar that shows how far Python is, and notes that stay till they are closed -----

  function boxed(role, edge) {
    const box = document.createElement("div");
    box.setAttribute("role", role);
    box.style.cssText = `position:fixed;right:12px;${edge}:12px;z-index:99999;padding:8px 12px;border-radius:4px;font:13px/1.4 sans-serif;max-width:min(30em,80vw);background:#1b2a3a;color:#fff;box-shadow:0 1px 6px #0006`;
    return box;
  }

  function note(text, ...buttons) {
    document.querySelector("#course-note")?.remove();
    const box = boxed("alert", "top");
    box.id = "course-note";
    box.append(text, document.createElement("br"));
    for (const [name, press] of [...buttons, ["Close", () => box.remove()]]) {
      const button = box.appendChild(document.createElement("button"));
      button.textContent = name;
      button.style.cssText = "margin:6px 6px 0 0;font:inherit";
      button.onclick = press;
    }
    document.body.append(box);
  }

  function takeHome({ path, model }) {
    // As it stands on the page, not as it was kept last.
    const text = JSON.stringify(model.toJSON(), null, 1);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ipynb+json" }));
    link.download = path.split("/").pop();
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  const bar = {
    show(text, share) {
      if (!this.box) {
        this.box = boxed("status", "bottom");
        this.words = this.box.appendChild(document.createElement("div"));
        this.meter = this.box.appendChild(document.createElement("progress"));
        this.meter.style.width = "100%";
        this.meter.setAttribute("aria-label", "Python is being fetched");
        document.body.append(this.box);
      }
      this.words.textContent = text;
      this.meter.hidden = share === undefined;
      if (share !== undefined) this.meter.value = share;
    },
    hide() { this.box?.remove(); this.box = undefined; },
  };

  function oneByOne(context) {
    // A save that begins before another is done finds the file newer than it knows, and
    // JupyterLab asks the reader which of the two to keep. So it waits; what waits
    // already takes all that follows with it.
    const plain = context.save.bind(context);
    let running, waiting;
    const save = () => (running = plain().finally(() => { running = undefined; }));
    const next = () => { waiting = undefined; return save(); };
    context.save = () => running ? (waiting ??= running.then(next, next)) : save();
  }

  // --- what JupyterLab leaves without a name ----------------------------------------------

  // Who hears the page, or goes through it by keyboard, has to be told what stands where.
  const UNNAMED = [
    [".cm-content:not([aria-label])", { "aria-label": "Text of the cell", tabindex: "0" }],
    [".jp-WindowedPanel-viewport[role=feed] > :not([role])", { role: "article" }],
    [".jp-collapseHeadingButton:not([aria-label])", { "aria-label": "Fold what stands below this heading" }],
    ["#jp-NotebookLogo:not([aria-label])", { "aria-label": "All notebooks" }],
    [".skip-link[tabindex='1']", { tabindex: "0" }],
    ["jp-button[aria-pressed]:not([role])", { "aria-pressed": null }],
  ];

  function nameAll() {
    for (const [where, attributes] of UNNAMED) {
      for (const element of document.querySelectorAll(where)) {
        for (const [name, value] of Object.entries(attributes)) {
          if (value === null) element.removeAttribute(name); else element.setAttribute(name, value);
        }
      }
    }
    // What can be scrolled, as a long formula on a narrow page, can be reached by keyboard.
    for (const text of document.querySelectorAll(".jp-RenderedHTMLCommon:not([tabindex])")) {
      if (text.scrollWidth > text.clientWidth) text.tabIndex = 0;
    }
  }

  function nameWhatComes() {
    let soon; // once for all that comes within a moment: outputs come by the hundred
    const watch = new MutationObserver(() => {
      soon ??= setTimeout(() => { soon = undefined; nameAll(); }, 200);
    });
    const attributes = { attributes: true, attributeFilter: ["aria-pressed"] };
    watch.observe(document.body, { childList: true, subtree: true, ...attributes });
    nameAll();
  }

  // --- the engine: start, ask, stop ------------------------------------------------------

  class Engine {
    constructor(hear) {
      this.hear = hear;
      this.asked = undefined;
      this.worker = new Worker(new URL("engine.js", ENGINE), { type: "module" });
      this.ready = new Promise((resolve, reject) => { this.open = resolve; this.fail = reject; });
      this.ready.catch(() => {});
      this.worker.onmessage = ({ data }) => this.take(data);
      this.worker.onerror = (event) => this.broken(event.message || "the worker could not be loaded");
      this.worker.postMessage({ do: "start", base: ENGINE.href, kept: remembered() });
    }

    take(said) {
      const mega = (n) => (n / 1e6).toFixed(0);
      switch (said.type) {
        case "progress":
          if (this.dead) break; // another file still comes; it is of no use any more
          bar.show(said.done < said.of
            ? `Python is being fetched: ${mega(said.done)} of ${mega(said.of)} MB. Once is enough: this browser keeps it.`
            : "Python starts …", Math.min(1, said.done / said.of));
          break;
        case "ready": bar.hide(); this.open(); break;
        case "failed": bar.show(said.why); this.broken(said.why); break;
        case "ended": this.broken(said.why); break;
        case "keep":
          if (!remember(said.name, said.text) && !unkept) { unkept = true; note(UNKEPT); }
          break;
        case "reply": { const { answer } = this.asked ?? {}; this.asked = undefined; answer?.(said); break; }
        default: this.hear(said);
      }
    }

    broken(why) {
      this.fail(new Error(why));
      this.dead = why;
      this.asked?.refuse(new Error(why));
    }

    async ask(request) {
      await this.ready;
      if (this.dead) throw new Error(this.dead);
      return new Promise((answer, refuse) => {
        this.asked = { answer, refuse };
        this.worker.postMessage(request);
      });
    }

    stop(why) {
      this.worker.terminate();
      this.broken(why);
    }
  }

  // A page that shows a notebook will want Python: it starts beside JupyterLab, not after.
  let early = /\/notebooks\//.test(location.pathname) ? new Engine(() => {}) : undefined;

  function engineFor(hear) {
    const engine = early?.dead ? undefined : early;
    early = undefined;
    if (!engine) return new Engine(hear);
    engine.hear = hear;
    return engine;
  }

  // --- the kernel ------------------------------------------------------------------------

  const STOPPED = "Stopped. In a browser that ends Python, and the names of this notebook with it: run its cells again from the top. What is written in the notebook is all there.";

  function kernelOn(BaseKernel) {
    return class CourseKernel extends BaseKernel {
      constructor(options) { super(options); this.begin(); }

      begin() { this.engine = engineFor((said) => this.publish(said)); }

      publish({ type, ...content }) {
        switch (type) {
          case "stream": return this.stream(content);
          case "display_data": return this.displayData(content);
          case "update_display_data": return this.updateDisplayData(content);
          case "clear_output": return this.clearOutput(content);
          case "execute_result": return this.publishExecuteResult(content);
          case "error": return this.publishExecuteError(content);
          case "stored": return this.stored(content.output);
        }
      }

      stored({ output_type: type, ...output }) {
        const whole = (text) => (Array.isArray(text) ? text.join("") : text);
        if (type === "stream") return this.stream({ ...output, text: whole(output.text) });
        if (type === "error") return this.publishExecuteError(output);
        const data = Object.fromEntries(Object.entries(output.data).map(
          ([form, made]) => [form, form.endsWith("json") ? made : whole(made)]));
        const shown = { data, metadata: output.metadata };
        if (type === "display_data") return this.displayData(shown);
        this.publishExecuteResult({ ...shown, execution_count: this.executionCount });
      }

      interrupt() {
        if (!this.engine.asked) return;
        this.engine.stop(STOPPED);
        this.begin();
      }

      dispose() {
        if (this.isDisposed) return;
        this.engine.stop("The kernel was shut down.");
        bar.hide();
        super.dispose();
      }

      async kernelInfoRequest() {
        return {
          status: "ok",
          protocol_version: "5.3",
          implementation: NAME,
          implementation_version: "1",
          banner: "Python in this browser",
          help_links: [],
          language_info: {
            name: "python", version: "3.15", mimetype: "text/x-python", file_extension: ".py",
            codemirror_mode: { name: "python", version: 3 }, pygments_lexer: "ipython3",
            nbconvert_exporter: "python",
          },
        };
      }

      async executeRequest({ code }) {
        const count = this.executionCount;
        const reply = await this.engine.ask({ do: "execute", code, count }).catch((error) => {
          const content = { ename: error.message === STOPPED ? "KeyboardInterrupt" : "Python ended", evalue: error.message };
          content.traceback = [`${content.ename}: ${content.evalue}`];
          this.publishExecuteError(content);
          // What ended by itself is started anew, so that the next cell finds a Python.
          if (error.message !== STOPPED) { this.engine.worker.terminate(); this.begin(); }
          return { status: "error", ...content };
        });
        const { type, ...content } = reply;
        return { execution_count: count, user_expressions: {}, payload: [], ...content };
      }

      async completeRequest({ code, cursor_pos: cursor }) {
        const none = { matches: [], cursor_start: cursor, cursor_end: cursor, metadata: {}, status: "ok" };
        return (await this.soon({ do: "complete", code, cursor })) ?? none;
      }

      async inspectRequest({ code, cursor_pos: cursor }) {
        const none = { status: "ok", found: false, data: {}, metadata: {} };
        return (await this.soon({ do: "inspect", code, cursor })) ?? none;
      }

      async isCompleteRequest({ code }) {
        return (await this.soon({ do: "is_complete", code })) ?? { status: "unknown" };
      }

      async soon(request) {
        const said = await this.engine.ask(request).catch(() => undefined);
        if (!said) return undefined;
        const { type, ...content } = said;
        return content;
      }

      async commInfoRequest() { return { status: "ok", comms: {} }; }
      inputReply() {}
      async commOpen() {}
      async commMsg() {}
      async commClose() {}
    };
  }

  async function plugins() {
    const { BaseKernel, IKernelClient, IKernelSpecs } = await load("@jupyterlite/services");
    const { INotebookTracker } = await load("@jupyterlab/notebook");
    const { IDocumentManager } = await load("@jupyterlab/docmanager");
    const Kernel = kernelOn(BaseKernel);
    const running = new Map();
    const spec = {
      name: "python3", display_name: "Python 3 (in this browser)", language: "python", argv: [],
      resources: {},
    };
    const create = async (options) => {
      const kernel = new Kernel(options);
      running.set(options.id, kernel);
      return kernel;
    };
    return [
      {
        id: `${NAME}:kernel`, autoStart: true, requires: [IKernelSpecs],
        activate: (_, specs) => specs.register({ spec, create }),
      },
      { id: `${NAME}:names`, autoStart: true, activate: nameWhatComes },
      {
        // JupyterLite drops the cells that wait; the one that runs is ours to stop.
        id: `${NAME}:interrupt`, autoStart: true, requires: [IKernelClient],
        activate: (_, client) => {
          const plain = client.interrupt.bind(client);
          client.interrupt = async (id) => { await plain(id); running.get(id)?.interrupt(); };
        },
      },
      {
        // JupyterLab tells the error of a failed save; what it means, and what to do, is told here.
        id: `${NAME}:kept`, autoStart: true, requires: [INotebookTracker, IDocumentManager],
        activate: (_, tracker, documents) => {
          isKept().then((kept) => { if (!kept) { unkept = true; note(UNKEPT); } });
          let failing = false;
          const watch = (panel) => {
            oneByOne(panel.context);
            panel.context.saveState.connect((context, state) => {
              if (state === "failed" && !failing) {
                note(UNSAVED(context.path), ["Download the notebook", () => takeHome(context)]);
              }
              if (state !== "started") failing = state === "failed";
              documents.autosave = !failing; // or JupyterLab's dialog is there every few seconds
            });
          };
          // Else it is never off: a closed tab asks nobody whether to save.
          documents.stateChanged.connect(() => { documents.autosave = !failing; });
          tracker.forEach(watch);
          tracker.widgetAdded.connect((_, panel) => watch(panel));
        },
      },
    ];
  }

  (globalThis._JUPYTERLAB ??= {})[NAME] = {
    init: (scope) => { shared = scope; },
    get: async () => { const made = await plugins(); return () => ({ __esModule: true, default: made }); },
  };
})();
