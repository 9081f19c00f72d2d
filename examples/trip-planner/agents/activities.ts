import { specialist } from "./specialist.ts";

specialist("activities", [
  ["Museums", { museum: { name: "City museum at night", price: 18 } }],
  ["Walks", { walk: { name: "Walk with a historian", price: 25 } }],
  ["Weather", {}],
  ["Kitchens", { cook: { name: "Cooking class", price: 80 } }],
  ["Opening hours", {}],
  ["Concerts", { concert: { name: "Organ concert", price: 30 } }],
]);
