const css = `
.parley-call{display:flex;flex-direction:column;box-sizing:border-box;width:100%;height:100%;min-height:16rem;
background:#14161a;color:#f4f5f7;font:14px/1.4 system-ui,sans-serif}
.parley-tiles{flex:1;min-height:0;display:grid;gap:8px;padding:8px;grid-auto-rows:minmax(0,1fr);
grid-template-columns:repeat(var(--columns,1),minmax(0,1fr))}
.parley-tiles[data-layout=SIDEBAR]{grid-template-columns:4fr 1fr}
.parley-tiles[data-layout=SIDEBAR] .parley-tile{grid-column:2}
.parley-tiles[data-layout=SIDEBAR] .parley-main{grid-column:1;grid-row:1/span 12}
.parley-tiles[data-layout=SPOTLIGHT]{grid-template-columns:1fr}
.parley-tiles[data-layout=SPOTLIGHT] .parley-tile:not(.parley-main){display:none}
.parley-people{margin:0;padding:8px 8px 8px 28px;max-height:30%;overflow:auto}
.parley-tile{position:relative;margin:0;overflow:hidden;border-radius:10px;background:#262a31;
display:grid;place-items:center}
.parley-tile video{position:absolute;inset:0;width:100%;height:100%;object-fit:cover}
.parley-screen video{object-fit:contain}
.parley-me video{transform:scaleX(-1)}
.parley-tile[data-picture=false] video{visibility:hidden}
.parley-initial{display:grid;place-items:center;width:4em;height:4em;border-radius:50%;background:#48505c;font-size:1.4em}
.parley-name{position:absolute;left:8px;bottom:8px;padding:2px 8px;border-radius:6px;background:#000a}
.parley-bar{display:flex;flex-wrap:wrap;gap:8px;justify-content:center;padding:8px}
.parley-button{min-height:44px;padding:0 16px;border:0;border-radius:22px;background:#39404a;color:inherit;font:inherit;cursor:pointer}
.parley-button:focus-visible{outline:2px solid #8ab4ff;outline-offset:2px}
.parley-leave{background:#c5221f}
.parley-call[data-state=reconnecting] .parley-tiles{opacity:.6}
`;
const styled = new WeakSet<Document>();

/** Gives a document the grid's looks, once; without inline styles, which a strict content policy forbids. */
export function styleGrid(document: Document): void {
  if (styled.has(document)) return;
  styled.add(document);
  if ("adoptedStyleSheets" in document && "replaceSync" in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    return;
  }
  const style = (document as Document).createElement("style");
  style.textContent = css;
  (document as Document).head.append(style);
}
