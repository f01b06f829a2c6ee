// Sizes of one video: what is sent, what is looked at, what comes.

/** What the video that a page sends is made of: one entry per encoding, from the smallest. */
export const sent = (page) =>
  page.evaluate(async () => {
    const stats = await session.peerConnection.getStats();
    const found = [...stats.values()].filter(({ type, kind, rid }) => type === "outbound-rtp" && kind === "video" && rid);
    return found.map(({ rid, frameWidth = 0, framesEncoded = 0, active }) => ({ rid, frameWidth, framesEncoded, active })).sort((a, b) => a.frameWidth - b.frameWidth);
  });

/** Turns the largest encoding on or off, as a browser does when its processor or its link cannot carry it. */
export const largest = (page, active) =>
  page.evaluate(async (active) => {
    const sender = session.peerConnection.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender.getParameters();
    parameters.encodings.at(-1).active = active;
    await sender.setParameters(parameters);
  }, active);

export const width = async (page) => Math.max(0, ...(await page.evaluate(() => window.e2e.inbound())).filter(({ kind }) => kind === "video").map(({ frameWidth }) => frameWidth));

/** Makes the picture that a page shows so wide: the server sends no larger one than is looked at. */
export const show = (page, pixels) =>
  page.evaluate((pixels) => {
    for (const video of document.querySelectorAll("video")) Object.assign(video, { width: pixels, height: (pixels * 3) / 4 });
  }, pixels);

/** Publishes one stream with three sizes and three frame rates inside it. */
export const layered = (page, mime) =>
  page.evaluate(async (mime) => {
    const sender = session.peerConnection.getSenders().find(({ track }) => track?.kind === "video");
    const parameters = sender.getParameters();
    const codec = parameters.codecs.find(({ mimeType, sdpFmtpLine = "" }) => mimeType === mime && !/profile(-id)?=[^0]/.test(sdpFmtpLine));
    Object.assign(parameters.encodings[0], { scalabilityMode: "L3T3_KEY", codec });
    await sender.setParameters(parameters);
  }, mime);

/** What the video that a page receives is coded with. */
export const codec = (page) =>
  page.evaluate(async () => {
    const stats = await session.peerConnection.getStats();
    const video = [...stats.values()].find(({ type, kind, framesDecoded }) => type === "inbound-rtp" && kind === "video" && framesDecoded > 0);
    return stats.get(video?.codecId)?.mimeType;
  });
