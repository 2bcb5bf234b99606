/// The style of pages about runs and evaluations: one column on a phone, several on a screen; light or dark as the
/// reader's system is.
///
/// Nothing is wider than the window: long words break, and pictures shrink.
package let runReportStyle: StaticString = """
    :root{color-scheme:light dark;--ground:#f6f6f3;--card:#fff;--ink:#1c1d1f;--soft:#5c5f64;
    --line:#deded9;--track:#ececE7;--bad:#b5422a;--c0:#2f6f8f;--c1:#c2571a;--c2:#3d7d3a;--c3:#8a4a9e;
    --c4:#a67c00;--c5:#b0336b;--c6:#4a5fc1;--c7:#5f6b6d}
    @media(prefers-color-scheme:dark){:root{--ground:#141517;--card:#1d1f22;--ink:#e8e8e6;
    --soft:#a4a8ae;--line:#303338;--track:#2a2d31;--bad:#ef8d78;--c0:#6fb3d2;--c1:#f0a05a;--c2:#7fc47a;
    --c3:#cf9be0;--c4:#e0bb4a;--c5:#f08ab4;--c6:#9aa9f5;--c7:#aab4b6}}
    *{box-sizing:border-box}
    body{margin:0;padding:1.25rem;background:var(--ground);color:var(--ink);
    font:16px/1.45 system-ui,sans-serif}
    header,section{max-width:86rem;margin:0 auto 1.5rem}
    h1{font-size:1.5rem;line-height:1.2;margin:0 0 .75rem;overflow-wrap:anywhere}
    h2{font-size:1.15rem;margin:0 0 .6rem;overflow-wrap:anywhere}
    p{margin:.2rem 0 .6rem;overflow-wrap:anywhere}.soft{color:var(--soft);font-size:.85rem}
    dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0}
    dt{color:var(--soft);font-size:.8rem}dd{margin:0;overflow-wrap:anywhere;
    font-variant-numeric:tabular-nums}dd small{color:var(--soft)}
    .grid{display:grid;gap:1rem;align-items:start;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr))}
    .small{grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
    figure,article,.card{margin:0;background:var(--card);border:1px solid var(--line);
    border-radius:.6rem;padding:.8rem;min-width:0}
    figcaption{font-weight:600;font-size:.95rem;margin-bottom:.4rem}
    .plot svg{display:block;width:100%;height:auto}.heat svg{max-width:34rem;margin:0 auto}
    svg text{font-family:system-ui,sans-serif;fill:var(--soft)}svg text:not([font-size]){font-size:11px}
    svg .count{fill:var(--ink)}svg .strong{fill:var(--card)}
    .grid line,line.grid{stroke:var(--line);stroke-width:1}
    .line{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linejoin:round}
    .dashed{stroke-dasharray:5 4}.mark,.bar{fill:currentColor}
    .c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}
    .c4{color:var(--c4)}.c5{color:var(--c5)}.c6{color:var(--c6)}.c7{color:var(--c7)}
    .cell{fill:var(--ink)}.cell.c0{fill:var(--c0)}.cell.wrong{fill:var(--bad)}
    .gap{fill:var(--bad);fill-opacity:.4}.unsure{fill:var(--card);fill-opacity:.55}.diagonal{stroke:var(--soft);stroke-width:1;
    stroke-dasharray:4 4;fill:none}
    .legend{display:flex;flex-wrap:wrap;gap:.15rem 1rem;margin:.5rem 0 0;padding:0;list-style:none;
    font-size:.85rem;color:var(--soft)}.legend li{overflow-wrap:anywhere;min-width:0}
    .swatch{display:inline-block;width:.75rem;height:.75rem;border-radius:.2rem;margin-right:.4rem;
    background:currentColor;vertical-align:-.05rem}.gap-swatch{background:var(--bad);opacity:.5}
    .unsure-swatch{background:var(--c0);opacity:.45}
    table{width:100%;border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    th{font-weight:500;color:var(--soft);text-align:right;font-size:.8rem;vertical-align:bottom}
    th,td{padding:.25rem .3rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
    th.name,td.name,td.value{text-align:left;overflow-wrap:anywhere;white-space:normal}th{white-space:normal}
    th.name,td.name{min-width:5rem}
    tr:last-child td{border-bottom:0}
    .track{display:block;height:.35rem;border-radius:.2rem;background:var(--track);overflow:hidden}
    .track .bar{display:block;height:100%;background:var(--c0)}
    .pictures{display:flex;gap:.5rem}
    .pictures img{display:block;flex:1 1 0;min-width:0;width:100%;max-width:224px;height:auto;
    border-radius:.35rem;background:var(--track)}
    .sheet{display:block;max-width:100%;height:auto;border-radius:.35rem}
    article p{margin:.4rem 0 0;font-size:.9rem}
    details summary{cursor:pointer;font-weight:600;padding:.2rem 0}
    pre{margin:.4rem 0 0;font-size:.8rem;white-space:pre-wrap;overflow-wrap:anywhere}
    ul.events{margin:0;list-style:none}.events li{overflow-wrap:anywhere;margin-top:.2rem}
    @media(max-width:30rem){body{padding:.75rem}th,td{padding:.2rem .2rem}table{font-size:.8rem}}
    @media print{body{background:none}figure,article{break-inside:avoid}}
    """
