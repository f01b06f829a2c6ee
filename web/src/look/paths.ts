// The pictograms: strokes on a 24 by 24 grid, drawn in the colour of the text around them.

const slash = "M4 4l16 16";
const mic = "M12 3a3 3 0 0 0-3 3v5.5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M8.5 21h7";
const camera = "M3 7.5A2 2 0 0 1 5 5.5h8a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM15 10.5l6-3.2v9.4l-6-3.2";
const monitor = "M3 6a1.5 1.5 0 0 1 1.5-1.5h15A1.5 1.5 0 0 1 21 6v8.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 14.5zM8.5 20h7M12 16v4";
const handset = "M6.2 3.5h2.5l1.7 4.1-2.1 1.7a11.6 11.6 0 0 0 5.4 5.4l1.7-2.1 4.1 1.7v2.5a2.2 2.2 0 0 1-2.4 2.2A16.6 16.6 0 0 1 4 5.9a2.2 2.2 0 0 1 2.2-2.4z";

/** The path data of each pictogram. */
export const paths = {
  mic,
  micOff: `${mic}${slash}`,
  camera,
  cameraOff: `${camera}${slash}`,
  screen: `${monitor}M12 13V7.5M9.5 9.7L12 7.2l2.5 2.5`,
  screenOff: `${monitor}M9.5 8l5 5M14.5 8l-5 5`,
  phone: handset,
  hangup: handset,
  sliders: "M4 7.5h8.5M17.5 7.5H20M15 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM4 16.5h2.5M11.5 16.5H20M9 19a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  group: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
  incoming: "M18 6L7 17M7 9v8h8",
  outgoing: "M6 18L17 7M9 7h8v8",
  missed: "M4 7l6.5 6.5L20 4M4 12V7h5",
  keyboard: "M3.5 7.5A1.5 1.5 0 0 1 5 6h14a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 19 18H5a1.5 1.5 0 0 1-1.5-1.5zM7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M8 14h8",
  leave: "M10 4H6a1.5 1.5 0 0 0-1.5 1.5v13A1.5 1.5 0 0 0 6 20h4M15 8l4 4-4 4M19 12H9.5",
  speaker: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  check: "M5 12.5l4.5 4.5L19 7.5",
  minus: "M6 12h12",
  pulse: "M3 12.5h4l2.5-6.5 4.5 12 2.5-5.5H21",
  bell: "M12 3.5a5.5 5.5 0 0 0-5.5 5.5c0 5-2 6.5-2 7.5h15c0-1-2-2.5-2-7.5A5.5 5.5 0 0 0 12 3.5zM10 19.5a2 2 0 0 0 4 0",
  hand: "M8 12V5.5a1.5 1.5 0 0 1 3 0V11M11 10.5V4a1.5 1.5 0 0 1 3 0v6.5M14 11V5.5a1.5 1.5 0 0 1 3 0V14a7 7 0 0 1-7 7c-2.5 0-4-1-5.2-3.2L3.2 14.6a1.5 1.5 0 0 1 2.5-1.6L8 15.5V12",
  link: "M9.5 14.5l5-5M11 7l1.5-1.5a4 4 0 0 1 6 6L17 13M13 17l-1.5 1.5a4 4 0 0 1-6-6L7 11",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.6 5.6l12.8 12.8",
  warning: "M12 4L2.8 19.5h18.4zM12 10v4M12 16.8h.01",
} as const;

/** The name of a pictogram. */
export type IconName = keyof typeof paths;
