// Cameras that tell whose they are, even to a program.

/** Colours instead of the browser's test picture, so that a picture tells whose it is. */
export const colours = { alice: [200, 40, 40], bob: [40, 180, 60], carol: [50, 70, 210] };

/** Runs in the page: the camera shows one colour with something moving in it. */
export function colourCamera(rgb) {
  const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (!constraints.video) return native(constraints);
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
    const context = canvas.getContext("2d");
    let step = 0;
    setInterval(() => {
      context.fillStyle = `rgb(${rgb})`;
      context.fillRect(0, 0, 320, 240);
      context.fillStyle = "#fff";
      context.fillRect((step = (step + 7) % 300), 100, 20, 40);
    }, 66);
    const stream = canvas.captureStream(15);
    if (constraints.audio) (await native({ audio: constraints.audio })).getAudioTracks().forEach((track) => stream.addTrack(track));
    return stream;
  };
}

/** Which of red, green and blue it has most of. */
export const strongest = (rgb) => rgb.indexOf(Math.max(...rgb));
