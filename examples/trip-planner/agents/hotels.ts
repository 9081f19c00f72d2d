import { specialist } from "./specialist.ts";

specialist("hotels", [
  ["Old town", { adler: { name: "Hotel Adler", price: 340 } }],
  ["By the river", { river: { name: "River House", price: 260 } }],
  ["Reviews", {}],
  ["Hostels", { bunk: { name: "Bunk and Breakfast", price: 90 } }],
  ["Late check-in", {}],
]);
