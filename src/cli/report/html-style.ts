/** How the page of a report looks: on a wide screen, on a phone, on paper; by day and in the dark. */

/** Colours, each pair of text and ground with a contrast of at least 4.5 (WCAG 2.2, 1.4.3). */
const LIGHT = `
--paper:#f6f6f3;--card:#fff;--text:#1d2025;--soft:#5d646e;--line:#e9e9e5;--edge:#dcdcd6;--out:#efefeb;
--busy:#3f5172;--busy2:#3f5172;--on-busy:#fff;
--oof:#f6e6ec;--oof2:#e0b9c9;--on-oof:#6d2a49;--rim-oof:#b0587f;
--tentative:#e6ebf6;--tentative2:#d6dff0;--on-tentative:#2c3f66;--rim-tentative:#7e93bd;
--unknown:#f0eee9;--unknown2:#e2dfd7;--on-unknown:#4f4a40;--rim-unknown:#a39c8d;
--free:#e5f3ea;--free2:#e5f3ea;--on-free:#1c5a3a;--rim-free:#4aa176;
--warn:#fdf1dc;--on-warn:#6b3d00;--rim-warn:#d9922b;`;

const DARK = `
--paper:#131519;--card:#1a1d22;--text:#e9ebee;--soft:#a0a8b3;--line:#262a31;--edge:#333943;--out:#16181c;
--busy:#4d6696;--busy2:#4d6696;--on-busy:#fff;
--oof:#36202b;--oof2:#54323f;--on-oof:#f0bdd1;--rim-oof:#b8648a;
--tentative:#222c40;--tentative2:#2a3650;--on-tentative:#c3d3f3;--rim-tentative:#6f88ba;
--unknown:#26272a;--unknown2:#303134;--on-unknown:#cbc6bb;--rim-unknown:#7d786d;
--free:#173023;--free2:#173023;--on-free:#9adbb6;--rim-free:#3f9468;
--warn:#35270f;--on-warn:#f6d49a;--rim-warn:#c6862b;`;

export const STYLE = `
:root{color-scheme:light dark;${LIGHT}
--hour:3.25rem;--gutter:3.25rem;--strip:1.375rem}
@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%;overflow-wrap:anywhere}
main{max-width:76rem;margin:0 auto;padding:3rem 2rem 4rem}
h1,h2,h3,p,ul,dl,dd{margin:0;padding:0}
ul{list-style:none}
.hush{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}

header{display:flex;flex-wrap:wrap;gap:1.25rem 3rem;align-items:flex-end;justify-content:space-between}
.whom{color:var(--soft);font-size:.9375rem}
h1{margin-top:.125rem;font-size:2rem;font-weight:650;line-height:1.2;letter-spacing:-.02em;text-wrap:balance}
dl{display:flex;flex-wrap:wrap;gap:.75rem 2.25rem;font-size:.875rem}
dt{color:var(--soft);font-size:.8125rem}
.banner{margin-top:1.5rem;padding:.75rem 1rem;border-left:.25rem solid var(--rim-warn);border-radius:.375rem;background:var(--warn);color:var(--on-warn);font-size:.9375rem}
.legend{display:flex;flex-wrap:wrap;gap:.375rem 1.5rem;margin-top:1.75rem;color:var(--soft);font-size:.8125rem}
.legend li{display:flex;gap:.5rem;align-items:center}
.legend .beyond{background:var(--out);box-shadow:inset 0 0 0 1px var(--edge)}
.legend i{width:1.25rem;height:.875rem;border-radius:.1875rem}

.busy,.oof,.tentative,.unknown,.free{background-color:var(--ground);background-image:var(--pattern,none);color:var(--ink);background-clip:padding-box}
.busy{--ground:var(--busy);--ink:var(--on-busy)}
.oof{--ground:var(--oof);--ink:var(--on-oof);--rim:var(--rim-oof);--pattern:radial-gradient(circle at center,var(--oof2) 1.1px,var(--oof) 1.6px);background-size:8px 8px}
.tentative{--ground:var(--tentative);--ink:var(--on-tentative);--rim:var(--rim-tentative);--pattern:repeating-linear-gradient(135deg,var(--tentative) 0 6px,var(--tentative2) 6px 12px)}
.unknown{--ground:var(--unknown);--ink:var(--on-unknown);--rim:var(--rim-unknown);--pattern:repeating-linear-gradient(45deg,var(--unknown) 0 4px,var(--unknown2) 4px 6px)}
.free{--ground:var(--free);--ink:var(--on-free);--rim:var(--rim-free)}
.oof,.tentative,.unknown,.free{box-shadow:inset .1875rem 0 var(--rim)}

.week{margin-top:1rem;padding:1.25rem 1.25rem 1.5rem .5rem;border-radius:.75rem;background:var(--card);box-shadow:0 0 0 1px var(--edge)}
.week+.week{margin-top:1.5rem}
h2{margin:0 0 1rem .75rem;font-size:1.0625rem;font-weight:600;letter-spacing:-.01em}
h2 span{margin-left:.5rem;color:var(--soft);font-weight:400}
.grid{display:grid}
.hours{position:relative;padding-top:3.25rem}
.hours span{position:absolute;right:.625rem;top:calc(3.25rem + var(--earlier) + var(--y)*var(--hour));transform:translateY(-50%);color:var(--soft);font-size:.75rem;line-height:1}
.hours .edge{top:calc(3.25rem + .5*var(--strip))}
.hours .edge.later{top:calc(3.25rem + var(--earlier) + var(--span)*var(--hour) + .5rem + .5*var(--strip))}
.day{min-width:0}
h3{display:grid;grid-template-columns:auto 1fr;gap:0 .5rem;align-content:start;height:3.25rem;padding:0 .25rem 0 .375rem;font-size:.8125rem;font-weight:400;line-height:1.3;color:var(--soft);white-space:nowrap;overflow:hidden}
h3 b{grid-area:2/1/3/3;color:var(--text);font-size:1.1875rem;font-weight:600;line-height:1.25;letter-spacing:-.01em}
h3 small{grid-area:1/2;align-self:center;font-size:.6875rem;overflow:hidden;text-overflow:ellipsis}
.off h3,.off h3 b{color:var(--soft);font-weight:400}
.box{position:relative}
.day ul{position:relative;height:calc(var(--earlier) + var(--span)*var(--hour) + var(--later));border-left:1px solid var(--line);
background:linear-gradient(var(--line) 1px,transparent 1px) 0 var(--earlier)/100% var(--hour)}
.day:last-child ul{border-right:1px solid var(--line)}
.off .box{background:var(--out);height:calc(var(--earlier) + var(--span)*var(--hour) + var(--later));border-left:1px solid var(--line)}
.out{position:absolute;left:0;right:0;top:calc(var(--earlier) + var(--y)*var(--hour));height:calc(var(--h)*var(--hour));background:var(--out)}
.day li{position:absolute;left:.1875rem;right:.1875rem;top:calc(var(--earlier) + var(--y)*var(--hour));height:calc(var(--h)*var(--hour));container-type:size;overflow:hidden;
border-top:1px solid transparent;border-radius:.25rem}
.day li.left{right:50%}
.day li.right{left:50%}
.day li.above{border-top-left-radius:0;border-top-right-radius:0}
.day li.below{border-bottom-left-radius:0;border-bottom-right-radius:0}
.day li.edge{top:calc(var(--k)*var(--strip));height:calc(var(--strip) - .125rem)}
.day li.edge.later{top:calc(var(--earlier) + var(--span)*var(--hour) + .5rem + var(--k)*var(--strip))}
.text{display:block;padding:.25rem .375rem .25rem .5625rem;font-size:.75rem;line-height:1.35}
.text b,.text span,.text small{display:block;overflow:hidden;text-overflow:ellipsis}
.text b{font-weight:600}
.text small{font-size:.6875rem}
.above .text::after,.below .text::after{position:absolute;right:.375rem;font-size:.625rem;line-height:1}
.above .text::after{content:"\\25b4" / "";top:.25rem}
.below .text::after{content:"\\25be" / "";bottom:.25rem}
.above.below .text::after{content:"\\25b4\\25be" / "";top:.25rem;bottom:auto}
@container (height < 3.5rem){.text small{display:none}}
@container (height < 2.4rem){.text::after{display:none}.text{padding:.1875rem .125rem .1875rem .5rem;font-size:.6875rem;line-height:1.5;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}.text b,.text span{display:inline;overflow:visible}}
@container (height < 1.6rem){.text{padding-block:0;line-height:100cqh}}
@container (height < 1rem){.text{font-size:.625rem}}
@container (height < .7rem){.text{clip-path:inset(50%)}}
.none{display:none}
footer{margin-top:1.5rem;color:var(--soft);font-size:.8125rem}

@media screen and (max-width:47.9375rem){
main{padding:1.5rem 1rem 2.5rem}
header{display:block}
h1{font-size:1.5rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin-top:1rem}
dl div{display:contents}
dt{font-size:.875rem}
.week{padding:1rem}
h2{margin:0 0 .25rem}
h2 span{display:block;margin:0}
.grid{display:block}
.hours,.off,.out{display:none}
h3{display:flex;gap:.3em;align-items:baseline;height:auto;padding:1rem 0 .375rem;color:var(--text);font-size:.9375rem;font-weight:600}
h3 b{font-size:inherit}
h3 small{margin-left:auto;color:var(--soft);font-size:.8125rem;font-weight:400}
h3 .hush{position:static;width:auto;height:auto;clip-path:none}
.short{display:none}
.day ul,.day:last-child ul{height:auto;border:0;background:none}
.day li,.day li.left,.day li.right,.day li.edge{position:static;height:auto;container-type:normal;margin-top:.25rem;border-top:0;border-radius:.375rem}
.day li.above,.day li.below{border-radius:.375rem}
.day .text::after{display:none}
.text{display:flex;flex-wrap:wrap;gap:0 .75rem;align-items:baseline;padding:.5rem .75rem;font-size:.875rem}
.text b{min-width:6.5rem}
.text small{margin-left:auto;font-size:.8125rem}
.none{display:block;color:var(--soft);font-size:.875rem}
}

@media print{
@page{size:A4 landscape;margin:10mm}
:root{color-scheme:light;font-size:13px}
html,body{background:#fff;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main{max-width:none;padding:0}
h1{font-size:1.5rem}
.banner,.legend{margin-top:.75rem}
.banner{padding:.375rem .75rem}
.week,.week+.week{margin-top:.5rem;padding:.75rem 0 0;box-shadow:none;break-inside:avoid}
.week+.week{break-before:page}
h2{margin-bottom:.5rem}
.grid{--hour:calc((124mm - var(--earlier) - var(--later))/var(--span))}
footer{margin-top:.75rem;break-inside:avoid}
}

@media (forced-colors:active){.day li,.legend i{border:1px solid CanvasText}}
`.trim();
