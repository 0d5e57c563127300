/** The worker: draws a picture for each number that it receives. */
addEventListener("message", ({ data }: MessageEvent<number>) => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="48" height="32">` +
    `<rect width="48" height="32" fill="hsl(${(data * 47) % 360} 60% 60%)"/></svg>`
  postMessage({ id: data, blob: new Blob([svg], { type: "image/svg+xml" }) })
})
