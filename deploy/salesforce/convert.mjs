// Converts the project from source to metadata format, as a deployment would, without an org.
// Salesforce's converter knows folders and suffixes but ignores files it does not recognise, so a
// file that reaches no component fails here as well.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.SF_DISABLE_TELEMETRY = 'true';
process.env.SF_DISABLE_LOG_FILE = 'true';
const { ComponentSet, MetadataConverter } = await import('@salesforce/source-deploy-retrieve');

const project = dirname(fileURLToPath(import.meta.url));
const output = await mkdtemp(join(tmpdir(), 'salesforce-project-'));
try {
  console.log(report(await convert(project, output)));
} catch (error) {
  console.error(`FAILED: ${error.message}`);
  process.exitCode = 1;
} finally {
  await rm(output, { recursive: true, force: true });
}

async function convert(root, outputDirectory) {
  const settings = JSON.parse(await readFile(join(root, 'sfdx-project.json'), 'utf8'));
  const folders = settings.packageDirectories.map((folder) => join(root, folder.path));
  const source = ComponentSet.fromSource({ fsPaths: folders });
  source.sourceApiVersion = settings.sourceApiVersion;
  const components = source.getSourceComponents().toArray();
  const parts = components.flatMap((component) => [component, ...component.getChildren()]);
  await refuseStrays(folders, parts, root);
  await new MetadataConverter().convert(source, 'metadata', {
    type: 'directory',
    outputDirectory,
    genUniqueDir: false,
  });
  await refuseLosses(parts, join(outputDirectory, 'package.xml'));
  return parts.filter((part) => part.xml !== undefined);
}

async function refuseStrays(folders, parts, root) {
  const known = new Set(parts.flatMap((part) => [part.xml, part.content]));
  const strays = [];
  for (const folder of folders) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (entry.isFile() && !known.has(path)) strays.push(relative(root, path));
    }
  }
  if (strays.length > 0) throw new Error(`no component owns ${strays.join(', ')}`);
}

async function refuseLosses(parts, manifest) {
  const listed = await readFile(manifest, 'utf8');
  const lost = parts.filter((part) => part.xml && !listed.includes(`<members>${part.fullName}</members>`));
  if (lost.length > 0) throw new Error(`lost on the way: ${lost.map((part) => part.fullName).join(', ')}`);
}

function report(parts) {
  const counts = new Map();
  for (const part of parts) counts.set(part.type.name, (counts.get(part.type.name) ?? 0) + 1);
  const lines = [...counts].sort().map(([type, count]) => `${String(count).padStart(4)} ${type}`);
  return [`CONVERTED: ${parts.length} components`, ...lines].join('\n');
}
