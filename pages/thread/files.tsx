// Files of a conversation: an image is shown, any other is a download. Nothing of a file is run:
// the Worker serves it so (P11.7), and the page shows only what it knows as an image.

import { useEffect, useState } from "react";
import type { SessionFile } from "sessile/files";
import { filesOf } from "sessile/files";
import { useFeature, useSession } from "sessile/react";
import { isImage, type Named, sizeOf } from "./file-words.ts";
import "./files.css";

/** The files of one message. */
export function Files({ files }: { files: readonly Named[] }) {
  if (files.length === 0) return null;
  return (
    <ul className="files">
      {files.map((file, at) => (
        // The same file may be named twice.
        <li key={at}>
          <File named={file} />
        </li>
      ))}
    </ul>
  );
}

function File({ named }: { named: Named }) {
  const session = useSession();
  const known = useFeature(filesOf).get(named.id);
  useEffect(() => void filesOf(session).of(named.id), [session, named.id]);
  if (known === null) return <Line of={named} state="It is gone" />;
  if (known === undefined) {
    return isImage(named) ? <Place of={named} /> : <Line of={named} />;
  }
  // Signed, or nobody but a program with a token can open it.
  if (known.urlExpiresAt === undefined) return <Line of={known} />;
  return isImage(known) ? <Picture file={known} /> : <Download file={known} />;
}

/** Room for an image whose address is on its way. */
function Place({ of }: { of: Named }) {
  return (
    <figure className="picture">
      <span className="picture-place" />
      <figcaption>
        <Line of={of} />
      </figcaption>
    </figure>
  );
}

function Picture({ file }: { file: SessionFile }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken) return <Download file={file} />;
  return (
    <figure className="picture">
      <a href={file.url} target="_blank" rel="noreferrer">
        <img src={file.url} alt={file.name} onError={() => setBroken(true)} />
      </a>
      <figcaption>
        <Download file={file} />
      </figcaption>
    </figure>
  );
}

function Download({ file }: { file: SessionFile }) {
  return (
    <p className="file">
      <a href={file.url} download={file.name}>
        {file.name}
      </a>{" "}
      <small>{sizeOf(file.bytes)}</small>
    </p>
  );
}

/** A file that cannot be opened. */
function Line({ of, state }: { of: Named; state?: string }) {
  return (
    <p className="file">
      <span>{of.name}</span> <small>{state ?? sizeOf(of.bytes)}</small>
    </p>
  );
}
