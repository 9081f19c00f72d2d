// `/inspect/{session}`: what happened in a session, and why.

import { createRoot } from "react-dom/client";
import { Inspector } from "./inspector.tsx";
import "./style.css";

const root = document.getElementById("app");
if (root) createRoot(root).render(<Inspector />);
