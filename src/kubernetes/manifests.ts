import { autoscaling } from './autoscaling.ts';
import { configMap, configNotes, configProblems, secretNotes } from './config.ts';
import { carriedFiles, definitionMap, definitionNotes, definitionProblems } from './definition.ts';
import type { Deployable } from './deployable.ts';
import { deployment } from './deployment.ts';
import { writtenFolders } from './folders.ts';
import type { Manifest } from './manifest.ts';
import { disruptionBudget, portProblems, service } from './network.ts';
import { reasonsForOne } from './single.ts';
import { storageOf, volumeClaim } from './volumes.ts';

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** What whoever applies them should know, or do first. */
  readonly notes: readonly string[];
  /** Why there are none. */
  readonly problems: readonly string[];
}

/** What replicas there are when nobody asks for another number: one may go while the other answers. */
const usual = 2;

export function manifestsOf(one: Deployable): Manifests {
  const files = carriedFiles(one);
  const problems = [...definitionProblems(files), ...configProblems(one), ...portProblems(one)];
  if (problems.length > 0) return { manifests: [], notes: [], problems };

  const reasons = reasonsForOne(one);
  const single = reasons.length > 0;
  const least = single ? 1 : (one.replicas ?? usual);
  const scaling = single ? { manifests: [], notes: [] } : autoscaling(one, least);
  const written = writtenFolders(one);
  const definition = definitionMap(one, files);
  const config = configMap(one);
  const pods = deployment(one, {
    replicas: scaling.manifests.length > 0 ? undefined : least,
    single,
    storage: storageOf(one, files, written),
    configMap: config,
    definition,
  });
  const all = [definition, config, volumeClaim(one, written), pods, service(one), disruptionBudget(one, least)];
  return {
    manifests: [...all.filter((manifest) => manifest !== undefined), ...scaling.manifests],
    notes: [
      ...secretNotes(
        one,
        files.filter((file) => file.isPrivate),
      ),
      ...configNotes(one),
      ...reasons.map((reason) => `one replica only: ${reason}`),
      ...definitionNotes(files),
      ...scaling.notes,
    ],
    problems,
  };
}
