// @ts-check
// The status page renews itself while it is looked at. Without this it is as true as when it came.

const EVERY_MS = 15000;
const PATIENCE_MS = 10000;

/** What the server says now, parsed by the browser. @returns {Promise<Document>} */
function read() {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.timeout = PATIENCE_MS;
    request.open("GET", location.href);
    request.onload = () => {
      if (request.status === 200 && request.responseXML?.getElementById("verdict")) done(request.responseXML);
      else if (request.status === 401 || request.status === 200) location.reload(); // the server says where one signs in
      else fail(new Error(String(request.status)));
    };
    request.onerror = request.ontimeout = () => fail(new Error("no answer"));
    request.send();
  });
}

/** Put what changed in the place of what was; the rest stays as it is read. @param {Document} fresh */
function take(fresh) {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  const news = [.../** @type {HTMLElement} */ (fresh.getElementById("main")).children].map((each) => document.importNode(each, true));
  for (const [index, each] of news.entries()) {
    const old = main.children[index];
    if (old?.id === "verdict" && each.id === "verdict") {
      if (!old.isEqualNode(each)) old.replaceChildren(...each.childNodes); // a live region is told by its own element
    } else if (!old) main.append(each);
    else if (!old.isEqualNode(each)) old.replaceWith(each);
  }
  while (main.children.length > news.length) main.lastElementChild?.remove();
  document.title = fresh.title;
  const stamp = fresh.getElementById("stamp");
  if (stamp) document.getElementById("stamp")?.replaceWith(document.importNode(stamp, true));
}

/** @param {string} words */
function gone(words) {
  let note = document.getElementById("gone");
  if (words && !note) {
    note = document.createElement("p");
    note.id = "gone";
    note.className = "small gone";
    note.setAttribute("role", "alert");
    document.querySelector("footer")?.prepend(note);
  }
  if (note && note.textContent !== words) note.textContent = words;
}

setInterval(async () => {
  if (document.hidden) return;
  try {
    take(await read());
    gone("");
  } catch {
    gone("spark-control does not answer: what is shown may not be true any more.");
  }
}, EVERY_MS);
