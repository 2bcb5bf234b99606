/// The report's style: one column on a phone, as many as fit on a screen; light or dark as the reader's
/// system is.
let reportStyle: StaticString = """
    :root{color-scheme:light dark;--ground:#f6f6f3;--card:#fff;--ink:#1c1d1f;--soft:#62656a;
    --line:#deded9;--track:#ececE7;--bar:#2f6f8f;--bad:#a4341f}
    @media(prefers-color-scheme:dark){:root{--ground:#141517;--card:#1d1f22;--ink:#e8e8e6;
    --soft:#9ea2a8;--line:#303338;--track:#2a2d31;--bar:#6fb3d2;--bad:#ef8d78}}
    *{box-sizing:border-box}
    body{margin:0;padding:1.25rem;background:var(--ground);color:var(--ink);
    font:16px/1.45 system-ui,sans-serif}
    header,main,section{max-width:86rem;margin:0 auto 1.25rem}
    h1{font-size:1.5rem;line-height:1.2;margin:0 0 .75rem;overflow-wrap:anywhere}
    dl{display:flex;flex-wrap:wrap;gap:.35rem 2rem;margin:0}
    dt{color:var(--soft);font-size:.8rem}dd{margin:0;overflow-wrap:anywhere}
    main{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr))}
    article,.failures{background:var(--card);border:1px solid var(--line);border-radius:.6rem;
    padding:.9rem;min-width:0}
    .pictures{display:flex;gap:.5rem}
    .pictures img{display:block;flex:1 1 0;min-width:0;width:100%;max-width:224px;height:auto;
    aspect-ratio:1;object-fit:cover;border-radius:.35rem;background:var(--track)}
    h2{font-size:1rem;margin:.7rem 0 0;overflow-wrap:anywhere}
    .facts{margin:.1rem 0 .6rem;color:var(--soft);font-size:.85rem}
    ol,ul{margin:0;padding:0;list-style:none}
    ol li{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem .75rem;margin-top:.45rem}
    .label{overflow-wrap:anywhere}.share{font-variant-numeric:tabular-nums;color:var(--soft)}
    li:first-child .label{font-weight:600}
    .track{grid-column:1/-1;height:.4rem;border-radius:.2rem;background:var(--track);overflow:hidden}
    .bar{display:block;height:100%;background:var(--bar);border-radius:.2rem}
    .failures{border-color:var(--bad)}.failures h2{margin:0 0 .4rem;color:var(--bad)}
    .failures li{overflow-wrap:anywhere;margin-top:.25rem}
    @media print{body{background:none}article{break-inside:avoid}}
    """
