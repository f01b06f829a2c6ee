// Drawn people in their rooms, for pictures of the page without anybody's real face.

const shelf = (x, y, colours) =>
  `<rect x="${x}" y="${y + 92}" width="250" height="12" rx="3" fill="#8a6142"/>` +
  colours.map((colour, at) => `<rect x="${x + 10 + at * 29}" y="${y + (at % 3) * 9}" width="23" height="${92 - (at % 3) * 9}" rx="3" fill="${colour}"/>`).join("");

const plant = (x, y) =>
  `<g transform="translate(${x} ${y})">` +
  [-58, -34, -12, 12, 36, 60].map((turn, at) => `<ellipse cx="0" cy="-86" rx="21" ry="${78 + (at % 2) * 16}" fill="${at % 2 ? "#4f8f63" : "#3c7a53"}" transform="rotate(${turn})"/>`).join("") +
  `<path d="M-48 -14h96l-13 96h-70z" fill="#c9714d"/><rect x="-54" y="-22" width="108" height="24" rx="6" fill="#b9603e"/></g>`;

const lamp = (x, y) => `<circle cx="${x}" cy="${y}" r="150" fill="#ffe9b8" opacity=".35"/><path d="M${x} 0v${y - 70}" stroke="#6b5846" stroke-width="5"/><path d="M${x - 70} ${y}q10-74 70-74t70 74z" fill="#f0b95b"/>`;

const pane = (x, y) =>
  `<rect x="${x}" y="${y}" width="270" height="330" rx="8" fill="#f7f3ea"/><rect x="${x + 14}" y="${y + 14}" width="242" height="302" fill="#a9d3ea"/>` +
  `<circle cx="${x + 190}" cy="${y + 80}" r="34" fill="#fff3c4"/><path d="M${x + 14} ${y + 250}q70-70 130-20t112-34v120h-242z" fill="#86b58a"/>` +
  `<rect x="${x + 129}" y="${y + 14}" width="12" height="302" fill="#f7f3ea"/><rect x="${x + 14}" y="${y + 158}" width="242" height="12" fill="#f7f3ea"/>`;

/** Head and shoulders, centred at x = 640; hair lies behind and before the face. */
const person = ({ skin, shade, hair, behind, before, clothes, collar, extra = "" }) =>
  `${behind(hair)}<path d="M330 720q0-190 190-222h240q190 32 190 222z" fill="${clothes}"/><path d="M566 420h148v96q-74 74-148 0z" fill="${shade}"/>${collar}` +
  `<ellipse cx="507" cy="330" rx="24" ry="36" fill="${shade}"/><ellipse cx="773" cy="330" rx="24" ry="36" fill="${shade}"/>` +
  `<path d="M512 260q0-130 128-130t128 130v70q0 138-128 148q-128-10-128-148z" fill="${skin}"/>` +
  `<ellipse cx="590" cy="318" rx="11" ry="14" fill="#2b2326"/><ellipse cx="690" cy="318" rx="11" ry="14" fill="#2b2326"/><circle cx="594" cy="313" r="4" fill="#fff"/><circle cx="694" cy="313" r="4" fill="#fff"/>` +
  `<path d="M566 284q24-16 48-4M666 280q24-12 48 4" stroke="${hair}" stroke-width="9" stroke-linecap="round" fill="none"/>` +
  `<path d="M640 326q-14 40 4 44" stroke="${shade}" stroke-width="7" stroke-linecap="round" fill="none"/>` +
  `<path d="M588 400q52 48 104 0z" fill="#fff" stroke="#9c4b46" stroke-width="6" stroke-linejoin="round"/>` +
  `<circle cx="558" cy="372" r="22" fill="#e58a7a" opacity=".28"/><circle cx="722" cy="372" r="22" fill="#e58a7a" opacity=".28"/>${before(hair)}${extra}`;

const scenes = {
  alice:
    `<rect width="1280" height="720" fill="#d9e4df"/>${pane(212, 90)}${plant(1000, 650)}` +
    person({
      skin: "#f2c7a5", shade: "#dda782", hair: "#7a3f22", clothes: "#2f6f73", collar: `<path d="M540 500q100 90 200 0l22 10q-122 120-244 0z" fill="#24585b"/>`,
      behind: (hair) => `<path d="M470 560q-30-470 170-470t170 470q-170 60-340 0z" fill="${hair}"/>`,
      before: (hair) => `<path d="M506 300q-10-190 134-190t134 190q-24-96-104-122q-50 78-164 122z" fill="${hair}"/>`,
    }),
  bob:
    `<rect width="1280" height="720" fill="#e9dcc8"/>${shelf(214, 120, ["#b5533c", "#e2a64b", "#3f6f8f", "#6d8c5a", "#8c5a7c", "#d9c8a4", "#4a4f68", "#b5533c"])}${shelf(214, 280, ["#3f6f8f", "#d9c8a4", "#6d8c5a", "#b5533c", "#4a4f68", "#e2a64b", "#8c5a7c", "#3f6f8f"])}${lamp(960, 190)}` +
    person({
      skin: "#8a5a3c", shade: "#6f452c", hair: "#1f1a1c", clothes: "#d8a23a", collar: `<path d="M566 496l74 84l74-84l40 14l-70 120l-44-50l-44 50l-70-120z" fill="#f3e3bd"/>`,
      behind: () => "",
      before: (hair) =>
        `<path d="M504 272q-6-162 136-162t136 162q-22-76-136-76t-136 76z" fill="${hair}"/><path d="M514 350q6 138 126 140t126-140q-8 60-52 58q-74-26-148 0q-44 2-52-58z" fill="${hair}"/><path d="M588 404q52 48 104 0z" fill="#fff"/>`,
      extra: `<g fill="none" stroke="#2b2326" stroke-width="6"><circle cx="590" cy="318" r="40"/><circle cx="690" cy="318" r="40"/><path d="M630 314q10-8 20 0"/></g>`,
    }),
  carol:
    `<rect width="1280" height="720" fill="#cfd8e6"/>${plant(280, 650)}<rect x="810" y="120" width="250" height="190" rx="6" fill="#f7f3ea"/><path d="M828 290l70-90l50 54l40-34l54 70z" fill="#7d93b8"/><circle cx="1000" cy="174" r="22" fill="#eebf6a"/>` +
    person({
      skin: "#d9a377", shade: "#bd8459", hair: "#2a2024", clothes: "#a8465a", collar: `<path d="M556 500q84 60 168 0l14 26q-98 84-196 0z" fill="#f1d9d4"/>`,
      behind: (hair) => `<circle cx="640" cy="96" r="74" fill="${hair}"/><path d="M490 380q-16-270 150-270t150 270z" fill="${hair}"/>`,
      before: (hair) => `<path d="M504 316q-14-206 136-206t136 206q-8-112-136-136q-128 24-136 136z" fill="${hair}"/>`,
      extra: `<circle cx="506" cy="374" r="9" fill="#eebf6a"/><circle cx="774" cy="374" r="9" fill="#eebf6a"/>`,
    }),
};

/** A picture of 1280×720 as a data: address of SVG. */
export const portrait = (who) => `data:image/svg+xml;base64,${Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" viewBox="0 0 1280 720">${scenes[who]}</svg>`).toString("base64")}`;

/** Runs in a page: the camera shows this picture, which sways a little. */
export async function drawnCamera(picture) {
  const image = new Image();
  image.src = picture;
  await image.decode();
  const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (!constraints.video) return native(constraints);
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const context = canvas.getContext("2d");
    let step = 0;
    setInterval(() => context.drawImage(image, Math.sin(step++ / 12) * 3 - 4, -3, 1288, 726), 100);
    const stream = canvas.captureStream(10);
    if (constraints.audio) (await native({ audio: constraints.audio })).getAudioTracks().forEach((track) => stream.addTrack(track));
    return stream;
  };
}
