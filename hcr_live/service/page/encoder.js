// A worker: scaled frames in, JPEGs out. On the page's own thread `toBlob` waits until that thread
// is idle, in Chromium for up to a second.

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

onmessage = async ({ data: { frame, quality } }) => {
  if (canvas.width !== frame.width || canvas.height !== frame.height) {
    [canvas.width, canvas.height] = [frame.width, frame.height];
  }
  context.drawImage(frame, 0, 0);
  frame.close();
  const picture = await canvas.convertToBlob({ type: "image/jpeg", quality });
  const bytes = await picture.arrayBuffer();
  postMessage(bytes, [bytes]);
};
