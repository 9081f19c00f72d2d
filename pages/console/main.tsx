// The console: a supervisor's inbox, and one of its sessions beside it.

import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root) createRoot(root).render(<App />);
