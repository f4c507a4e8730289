/** Every document with generated parts: what stands in it follows from the code and from nothing else. */
import { backendConfig } from '../../config/backend.ts';
import { ceremonyTokenFile, officerTokenFile } from '../../config/ceremony.ts';
import { gatewayConfig } from '../../config/gateway.ts';
import { stationConfig } from '../../config/station.ts';
import { contactFaults } from '../../drivers/card-reader/virtual-se/mutants/contact.ts';
import { goodCards } from '../../drivers/card-reader/virtual-se/mutants/good-cards.ts';
import { liars } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import { planForm } from '../../runtime/core/ceremony/plan.ts';
import { keyPolicy } from '../../runtime/core/key-policy.ts';
import { toMermaid } from '../../runtime/core/operation/transitions.ts';
import { modelRules } from '../model/rules.ts';
import { brokerManners } from '../simulation/hostile/table.ts';
import { brokerMannerTable } from './broker-manners.ts';
import { cardProfileTable } from './card-profiles.ts';
import { channelTable } from './channels.ts';
import { faultList } from './faults.ts';
import { keptKeyTable, passingKeyTable } from './key-policy.ts';
import { modelLabels } from './labels.ts';
import { mutantTable } from './mutants.ts';
import { fillParts } from './parts.ts';
import { settingTable } from './settings.ts';

export interface Page {
  /** From the root of the project. */
  readonly path: string;
  /** The whole page as it should be, from the page as it is. */
  readonly text: (now: string) => string;
}

/** A page is current when `text(now)` is `now`. */
export const pages: readonly Page[] = [
  {
    path: 'ARCHITECTURE.md',
    text: (now) =>
      fillParts(now, {
        'card-profiles': cardProfileTable(cardProfiles),
        operation: `\`\`\`mermaid\n${toMermaid()}\n\`\`\``,
        channels: channelTable(),
        faults: faultList(),
      }),
  },
  {
    path: 'config/README.md',
    text: (now) =>
      fillParts(now, {
        station: settingTable(stationConfig),
        gateway: settingTable(gatewayConfig),
        backend: settingTable(backendConfig),
      }),
  },
  {
    path: 'config/hsm-room.md',
    text: (now) =>
      fillParts(now, {
        kept: keptKeyTable(keyPolicy),
        passing: passingKeyTable(keyPolicy),
        token: settingTable(ceremonyTokenFile),
        officer: settingTable(officerTokenFile),
        plan: settingTable(planForm),
      }),
  },
  {
    path: 'drivers/card-reader/virtual-se/README.md',
    text: (now) =>
      fillParts(now, {
        liars: mutantTable(liars, 'caught'),
        contact: mutantTable(contactFaults, 'harmless'),
        good: mutantTable(goodCards, 'harmless'),
      }),
  },
  {
    path: 'scripts/simulation/hostile/README.md',
    text: (now) => fillParts(now, { manners: brokerMannerTable(brokerManners) }),
  },
  { path: 'test/model/labels.pml', text: () => modelLabels() },
  { path: 'test/model/rules.pml', text: () => modelRules() },
];
