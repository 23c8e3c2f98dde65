// @ts-check
// The parts of the page that come after the first picture: their code, templates and styles are
// fetched when the part of the page that shows them is opened, and what they show is asked for.

/** @typedef {import("./tabs.js").Tab} Tab */
/** @typedef {import("./acts/acting.js").Acting} Acting */
/** @typedef {import("./acts/acting.js").Wishes} Wishes */
/** @typedef {import("./acts/knowing.js").Knowing} Knowing */
/** @typedef {import("./reduce-owner.js").Name} Name */

/**
 * @typedef {object} Asking
 * @property {Name} name
 * @property {() => Promise<any>} ask
 * @property {number} every  Milliseconds between two questions while it is shown.
 * @property {RegExp} [on]  News that make it worth asking at once.
 *
 * @typedef {object} Part  What the module of a part exports.
 * @property {string[]} views  Names of its elements that are told the view.
 * @property {(page: Acting, tools: {again: (...names: Name[]) => Promise<unknown>, knowing: Knowing}) => {wishes: Wishes, asks: Asking[]}} begin
 */

/** @type {Record<string, Tab[]>} */
const PARTS = {
  connect: ["home", "services", "activity", "schedule", "speech", "redact", "playground"],
  activity: ["activity"], events: ["activity"], hardware: ["home"], playground: ["playground"], redact: ["redact"], schedule: ["schedule"], services: ["services"], setup: ["home"], speech: ["speech"], uptime: ["activity"],
};
const SOON_MS = 400;
const RETRY_MS = 10000;

export class Late {
  /** Names of the elements of the parts that are there. @type {string[]} */
  #tags = [];
  /** @type {Map<string, number>} */
  #wanted = new Map();
  /** @type {(Asking & {tabs: Tab[], askedAt: number, soon: number})[]} */
  #asks = [];

  /**
   * @param {Acting} page @param {Knowing} knowing
   * @param {(wishes: Wishes) => void} listen @param {() => void} changed
   */
  constructor(page, knowing, listen, changed) {
    this.page = page;
    this.knowing = knowing;
    this.listen = listen;
    this.changed = changed;
  }

  /** Elements of the parts that are there: one may stand inside of another that comes later. @returns {any[]} */
  get views() {
    return this.#tags.length > 0 ? [...document.querySelectorAll(this.#tags.join())] : [];
  }

  /** Called every second and when another part of the page was opened. @param {number} now */
  tick(now) {
    const { tab, link, heardAt, outdated } = this.page.state;
    if (heardAt === 0) return; // the first picture comes first
    for (const [name, tabs] of Object.entries(PARTS)) {
      if (outdated) break; // newer parts do not fit this page: it asks to be loaded again
      if (tabs.includes(tab) && now >= (this.#wanted.get(name) ?? 0)) this.#load(name, now);
    }
    if (document.hidden || link !== "live") return;
    for (const each of this.#asks) {
      const due = each.soon ? now >= each.soon : now - each.askedAt >= each.every;
      if (each.tabs.includes(tab) && due) this.#ask(each, now);
    }
  }

  /** What the server told. @param {string} type */
  told(type) {
    const now = Date.now();
    for (const each of this.#asks) if (type === "snapshot" || each.on?.test(type)) each.soon = now + SOON_MS;
  }

  /** Ask again for what an act has changed. @param {Name[]} names */
  again(...names) {
    const now = Date.now();
    return Promise.all(this.#asks.filter((each) => names.includes(each.name)).map((each) => this.#ask(each, now)));
  }

  /** @param {Asking & {askedAt: number, soon: number}} each @param {number} now */
  #ask(each, now) {
    each.askedAt = now;
    each.soon = 0;
    return this.knowing.ask(each.name, each.ask);
  }

  /** @param {string} name @param {number} now */
  async #load(name, now) {
    this.#wanted.set(name, now + RETRY_MS);
    try {
      const base = `static/late/${name}`;
      await Promise.all([templates(`${base}/templates.html`), sheet(`${base}/style.css`)]);
      /** @type {Part} */
      const part = await import(`./late/${name}/index.js`); // its elements stand up at once, and then need their templates
      this.#wanted.set(name, Infinity);
      const { wishes, asks } = part.begin(this.page, { again: (...names) => this.again(...names), knowing: this.knowing });
      this.listen(wishes);
      this.#asks.push(...asks.map((ask) => ({ ...ask, tabs: PARTS[name], askedAt: 0, soon: 0 })));
      this.#tags.push(...part.views);
      this.tick(Date.now());
      this.changed();
    } catch (error) {
      if (error instanceof TypeError && /import|fetch|module/i.test(error.message)) return; // not now; it is tried again
      if (!(error instanceof NotThere)) throw error;
    }
  }
}

class NotThere extends Error {}

/** Put the templates of a part into the page, once. @param {string} path @returns {Promise<void>} */
function templates(path) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest(); // a document is parsed by the browser; no text of ours becomes markup
    request.responseType = "document";
    request.open("GET", path);
    request.onload = () => {
      const found = request.status === 200 ? [...(request.responseXML?.querySelectorAll("template") ?? [])] : [];
      if (found.length === 0) return fail(new NotThere(path));
      for (const each of found) if (!document.getElementById(each.id)) document.body.append(document.importNode(each, true));
      return done();
    };
    request.onerror = () => fail(new NotThere(path));
    request.send();
  });
}

/** @param {string} href @returns {Promise<void>} */
function sheet(href) {
  const old = document.querySelector(`link[href="${href}"]`);
  if (old) return Promise.resolve();
  return new Promise((done, fail) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = () => done();
    link.onerror = () => {
      link.remove();
      fail(new NotThere(href));
    };
    document.head.append(link);
  });
}
