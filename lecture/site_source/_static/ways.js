// A notebook that runs needs a server of files. Where a page is opened as a file, its link
// says so, and leads nowhere.
addEventListener("DOMContentLoaded", () => {
  if (location.protocol !== "file:") return;
  for (const link of document.querySelectorAll("a.way.runs")) {
    const words = document.createElement("span");
    words.textContent = "To run it in a browser, serve this folder: python -m http.server";
    link.replaceWith(words);
  }
});
