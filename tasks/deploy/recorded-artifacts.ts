import type { ArtifactResolver } from "@nomicfoundation/ignition-core";

/**
 * What Ignition copies beside its journal. On a live chain the exact input of the compiler, so that anybody can build
 * the same code later; its output, 12 MB at a time, follows from that. On a local chain neither.
 */
export function recordedArtifacts(artifacts: ArtifactResolver, isLocal: boolean): ArtifactResolver {
  return {
    loadArtifact: (name) => artifacts.loadArtifact(name),
    getBuildInfo: async (name) => {
      const buildInfo = isLocal ? undefined : await artifacts.getBuildInfo(name);
      return buildInfo && { ...buildInfo, output: { sources: {}, contracts: {} } };
    },
  };
}
