import { createRoot } from "react-dom/client";
import { Inspector } from "./inspector.tsx";
import "./style.css";

const page = document.getElementById("page");
if (page) createRoot(page).render(<Inspector />);
