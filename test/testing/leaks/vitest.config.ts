import { defineConfig } from "vitest/config"

export default defineConfig({ test: { include: ["vmThreads.ts"], pool: "vmThreads" } })
